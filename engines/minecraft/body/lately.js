'use strict'
// What came of her last jobs: what fails again and again is not proposed to her.

const FRUITLESS_MS = 180_000 // what failed is proposed again after that
const KEPT = 50

class Lately {
  constructor () { this._came = [] }

  get length () { return this._came.length }

  came (name, said, success, at = Date.now()) {
    this._came = [...this._came, { name, said, success, at }].slice(-KEPT)
  }

  /** Those that may be worth a try: if nothing else is left, what failed twice may succeed by now. */
  worth (names, now = Date.now()) {
    const found = names.filter(name => !this._fruitless(name, now))
    return found.length ? found : names
  }

  /** Whether the same thing of this name failed twice lately: she would choose it again and again. */
  _fruitless (name, now) {
    const [last, before] = this._came.filter(each => each.name === name && now - each.at < FRUITLESS_MS).reverse()
    return Boolean(before) && !last.success && !before.success && last.said === before.said
  }
}

module.exports = { Lately }
