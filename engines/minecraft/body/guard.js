'use strict'
// Who may ask on our port: this machine, by its own name, and no page but the one that we serve.

const HERE = /^(127\.0\.0\.1|localhost|\[::1\])(:\d{1,5})?$/i // any other is a name that DNS points here (rebinding)
const OWN = new Set(['none', 'same-origin']) // an address typed in; our page

/** Why a request with these headers is turned away, or ''. `page`: it is for a page of ours, which others may frame. */
function refused (headers, page) {
  if (!HERE.test(headers.host ?? '')) return 'only for this machine'
  // A browser names the page whose script asks, and says of a picture, a frame or a link whether it is another's.
  const { host, origin = `http://${host}`, 'sec-fetch-site': site = 'none' } = headers
  return origin !== `http://${host}` || (!page && !OWN.has(site)) ? 'not for pages of others' : ''
}

module.exports = { refused }
