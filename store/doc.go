// Package store is the terminal's sealed memory: who may be served, how, and the templates of those who have agreed.
//
// A store is a folder of three files and, elsewhere or beside them, a key slot:
//
//	key slot   the root key of the current epoch                        opens
//	keytable   {epoch, applied sequence, subject -> finger key, person key, secrets of the terminal}
//	records.db templates sealed under finger keys, people under person keys, everything else under the store key (bbolt)
//	witness    how far the records had got: a card that has lost the last change is noticed by it
//
// A subject's fingers are forgotten by writing a new key table without their finger key under the root key of the next
// epoch, and destroying the old root key in place. Deleting a row of a database on a memory card deletes nothing;
// here it is only tidying up. The sequence of the register that has been applied stands in the key table too, so a
// revocation is acknowledged exactly when its key is gone: one rename commits both.
//
// [Create] and [Open] give a [Store]. [Store.Apply] takes what the register says; [Store.Refuse] and [Store.Wipe] take
// what the terminal itself finds; [Store.PutTemplates] keeps fingers of subjects who are permitted at that moment. Most
// callers go through package store/custody, which keeps the matcher's gallery in step.
//
// Promises: what a method has returned without error survives a power cut at any later point, and a cut in the middle
// of a method leaves either the old state or one that Open finishes; a wiped key never comes back; no file that is in
// doubt is ever deleted, only set aside; a template leaves the store in clear only inside a locked page that is cleared
// when the callback returns. What a key slot can promise on its own medium is said by Slot.Promise.
//
// The records are never compacted. The database uses pages again that a wipe has freed, so its file does not grow by wiping (a test
// plays twelve years); and a compaction would copy every sealed row once more onto a card that forgets nothing, to gain
// what nobody lacks.
//
// The methods of a Store are safe for concurrent use; writers wait for each other.
package store
