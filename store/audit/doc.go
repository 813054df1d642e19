// Package audit keeps the terminal's append-only log of what it did with whom, and proves it to others.
//
// The log is a Merkle tree as in RFC 6962 (golang.org/x/mod/sumdb/tlog). Its records and hashes live in two buckets of
// the store's own database, so that an [Event] is appended in the transaction of the change that it reports. The head
// of the log is a checkpoint in the C2SP tlog-checkpoint format, signed with the terminal's note key.
//
// A wipe gives a [Receipt]: a text that a person can read and that [VerifyReceipt] checks anywhere, offline, with
// nothing but the terminal's verifier key. A receipt is as good as the terminal's word and the key slot's promise: it
// proves that this terminal logged the wipe and cannot take it back, not that nobody had copied the card before.
//
// Records whose time is over are dropped from the front of the log ([Log.Prune]). Their place in the tree stays: the log grows
// only at its end, every head that was signed stays a head of it, receipts keep verifying, and so do proofs for what is
// left. Only a proof that begins at a head inside the dropped part can no longer be made, so a log is pruned no further than its
// hub has countersigned it. Dropping is housekeeping, not erasure: a laboratory may find the sealed text in old blocks
// of the card, and the store's key opens it.
//
// Records name subjects by pseudonym only (F3). There is no field that could hold a name or a biometric value, and none
// for a runner-up (F7).
package audit
