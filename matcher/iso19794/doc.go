// Package iso19794 reads and writes fingerprint templates as ISO/IEC
// 19794-2:2005 finger minutiae records, the form that other makers' programs
// exchange.
//
// Only the record format of clause 8 is handled, not the smart-card formats of
// clause 9. Positions become pixels at 500 ppi on reading and pixels at the
// record's own resolution on writing; angles are rounded to 1/256 turn. A
// record that was read and is written again, with the Meta that came with
// it, gives the same bytes, as long as its reserved fields are zero.
//
// The ridge flow and the ridges that this program's templates have beside the
// minutiae travel in the view's extended data, where the standard leaves types
// to vendors: others skip them. So does the sketch of a print just read; a
// template from a store has none.
package iso19794
