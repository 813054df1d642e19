// Package register is what a hub and its terminals say to each other: the signed records, their proofs, the sealed
// envelopes and the HTTP interface. It holds no connection, no clock and no store; both ends build on it.
//
// # The register
//
// Consent is state, not events. The hub keeps for each site one append-only sequence of entries, numbered 1, 2, 3, ....
// An [Entry] says what terminals must now hold: a subject's standing, the list of terminals, a command to one
// terminal, or the site's profile. It carries pseudonyms and never a name. The entries are the leaves of an RFC 6962 tree; a
// [Checkpoint] in the C2SP format names its size and root, the hub's time and the lease, and is signed with Ed25519.
//
// A terminal asks for what comes after the last checkpoint that it applied and gets a [Batch]: the frontier of the tree that
// the terminal knows, the entries that follow, and a checkpoint for exactly the tree that they make. [Batch.Verify]
// folds the frontier into the root it trusts, appends the entries and compares with the new root. So an entry that was
// left out, changed, repeated, moved or taken back cannot pass, whoever carried the bytes. [Plan] then puts what has
// to be done into its order: revocations first.
//
// # HTTP interface
//
// All paths are on the hub's terminal listener, over TLS. The terminal accepts the TLS key whose SHA-256 stands in its [JoinCode]
// and looks at no dates. Every request except join, rejoin and nonce is signed (see [SignRequest]): headers
// Tillprint-Site, Tillprint-Terminal, Tillprint-Nonce and Tillprint-Signature. The nonce comes from the hub, so that a terminal needs no
// clock: every answer, errors included, carries a fresh one in the header Tillprint-Nonce; each is good for one request
// within at least 10 minutes. An error has a JSON body, [Failure], whose code is a constant of this package.
//
//	GET    /v1/nonce       204; only the header. Not signed.
//	POST   /v1/join        JoinRequest -> 200 JoinAnswer. Not signed; the token is the authority. The same token with the
//	                       same keys gets the same answer again, for as long as the token lives; with other keys 403 token.
//	POST   /v1/rejoin      RejoinRequest -> 200 JoinAnswer once the office has let it in, 202 while nobody has. Not signed; the
//	                       office is the authority. Ask again every half minute; 403 token if the name is taken.
//	GET    /v1/register?after=N&wait=S&mail=M&elide=1
//	                       200 text/plain Batch with entries N+1 and on (at most MaxEntries; ask again until the
//	                       checkpoint's size equals its head). If there is none, the hub waits up to S seconds (at most
//	                       MaxWait) and then answers with an empty batch: its checkpoint renews time and lease. elide=1 lets the hub
//	                       replace superseded entries by their hashes; only for a terminal that starts from nothing
//	                       and applies only once it has reached the head. 409 rollback if N is beyond the head.
//	POST   /v1/share       ShareDeposit -> 204. The hub keeps half of the terminal's root key.
//	POST   /v1/share/open  ShareQuestion -> 200 ShareAnswer. Signed with the deposit's key, not the terminal's. 404 unknown if there
//	                       is no deposit, 409 rollback if the hub has gone beyond that epoch.
//	POST   /v1/people      PeopleRequest -> 200 application/x-ndjson, one Envelope a line, purpose Person, in any order;
//	                       subjects without a record are left out, and so is what would make more than MaxBody: ask
//	                       again for those who are missing, until an answer is empty.
//	POST   /v1/reports     Reports -> 200 Accepted. Idempotent by id. Receipts, refusals at the till, refused templates.
//	POST   /v1/status      Status -> 204. The newest counts.
//	POST   /v1/exports     ExportPart -> 204. The terminal's part of an export that a register entry has ordered. 404 if the
//	                       order is closed: nobody waits for it any more.
//	POST   /v1/witness     Witness -> 200 Witnessed. The hub countersigns the head of the terminal's audit log if it holds all
//	                       that was countersigned before. If not, an old card was put back: the register then holds a
//	                       Refetch command for the terminal.
//	POST   /v1/mailbox     Envelopes, purpose Template, from the caller -> 200 Accepted, with what was refused and why.
//	                       The hub takes an envelope only for a listed terminal and a subject who is Permit.
//	GET    /v1/mailbox     200 application/x-ndjson, at most MaxEnvelopes for the caller, oldest first. A waiting
//	                       /v1/register is answered early, with an empty batch, when more than M envelopes lie here: M
//	                       is how many the terminal has seen and left, 0 if it leaves out mail.
//	POST   /v1/page        PageRequest -> 200 PageAnswer: whom the terminal's page on the school's network lets in, and, if asked
//	                       for, the page's certificate.
//	GET    /v1/update      200 UpdateOffer, or 204 if nothing is staged for the terminal or its wave has not begun.
//	GET    /v1/update/file?sequence=N&name=F&from=A
//	                       200 application/octet-stream: at most MaxUpdatePart bytes of the file from byte A. Where it was broken
//	                       off it is gone on with; the place stands in the query, which is signed, and not in a Range header.
//	POST   /v1/mailbox/taken
//	                       Taken -> 204, also for what was gone. Ids are those of Envelope.ID.
//
// Status codes: 400 malformed, 401 nonce or signature (a terminal tries a nonce failure again at once with the fresh
// nonce), 403 removed (the terminal is no longer of the site) or token, 404 unknown, 409 rollback, 413 size, 429 busy and
// 503 busy (with Retry-After in seconds).
package register
