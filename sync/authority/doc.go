// Package authority is a school's own certificate authority: the hub holds it, and issues with it what a till needs to work a
// terminal over the school's network.
//
// [New] makes one, [Open] opens one that was kept. [Authority.Page] signs the certificate of a terminal's page and
// [Authority.Browser] that of a browser of the till. A terminal asks [Check] who a browser is.
//
// It promises: a page is certified for private addresses and private names only ([Private]), and the authority's own certificate is
// constrained to them, so that a browser that trusts it believes it about nothing outside the school; a page's certificate lets
// nobody in as a browser, nor the other way round; and a browser's certificate is good for its site only.
package authority
