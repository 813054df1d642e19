// Package crashtest finds out what a power cut can leave behind.
//
// [Record] runs a program under strace and keeps what it really did to the files of one folder: every write, with its
// bytes, every truncation, creation, rename and fsync, also those of libraries that offer no place to listen in. The
// program says how far it has got by writing marks to a file of its own. From the [Trace], [Trace.States] builds the
// disks that a cut at any moment could leave, [Trace.Lies] those of a card that did not do what one fsync asked for, and
// [Trace.Without] a program that forgot to ask. The caller opens each and compares it with what had been acknowledged.
//
// The model is stricter than ext4 and about as strict as POSIX: after a write and before an fsync of that file, any
// set of the writes may have arrived, in any order, and each one torn between two sectors of 512 bytes; names (create,
// rename, remove) arrive in order within one folder but are durable only after an fsync of that folder. What is not
// modelled: sectors that come back with other bytes than old or new, and the reach of an fsync beyond its own file.
//
// [Image] is the other half: a real ext4 file system in a file, whose plug can be pulled, and whose raw bytes can be
// searched. It needs root; the rest needs Linux and strace.
//
// It is for tests only.
package crashtest
