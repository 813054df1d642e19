// Package terminal is the daemon's end of the wire to the hub: it joins a site, follows the hub's register, and tells the
// hub what happened here.
//
// [Join] redeems a join code and makes the terminal's store. [New] makes a [Client] over that store and its custody;
// [Client.Run] works until its context ends:
//
//   - it asks the hub for what comes after the last checkpoint, verifies it against that checkpoint, and applies it through package
//     custody, revocations first; the lease is renewed only when everything has been applied;
//   - it fetches the person records that the register names;
//   - it sends receipts, refusals and alerts until the hub has them, from the store's durable queue;
//   - it seals templates that were enrolled here to the site's other terminals, also to those that join later;
//   - it takes templates of other terminals out of its mailbox, but only of subjects who are permitted here and now.
//
// It promises: nothing is applied that is not proven to continue the register as this terminal knows it; nothing acknowledged to a
// caller is lost by a power cut or an absent hub; whatever is wrong with the hub or the wire shows as one sentence in
// [Client.State] and changes nothing else, until the lease ends.
package terminal
