'use strict'
// Where she went and what came of what she did, a JSON line each in the run folder: the show's report draws it.

const { appendFile } = require('fs/promises')
const { join } = require('path')

const LOOK_MS = 2000
const STEP = 1 // blocks: who stands still is not written down again

class Track {
  /** `folder`: "" for a body that nobody will ask. */
  constructor (folder) {
    this._path = folder && join(folder, 'world.jsonl')
    this._last = null
    this._written = Promise.resolve()
  }

  /** Follow her from now on; `bot()` is null while she is in no world. */
  follow (bot) { setInterval(() => this._look(bot()?.entity?.position), LOOK_MS).unref() }

  /** She did `what` from `began` (ms) until now. */
  did (what, began, success, position) {
    this._write({ ...place(position), did: what, began: began / 1000, success })
  }

  _look (position) {
    if (!position || (this._last && this._last.distanceTo(position) < STEP)) return
    this._last = position.clone()
    this._write(place(position))
  }

  _write (row) {
    if (!this._path) return
    const line = JSON.stringify({ at: Date.now() / 1000, ...row }) + '\n'
    this._written = this._written.then(() => appendFile(this._path, line)).catch(error => {
      process.stderr.write(`${this._path}: ${error.code}; where she goes is not written down any more\n`)
      this._path = ''
    })
  }
}

const place = position => position ? { x: round(position.x), y: round(position.y), z: round(position.z) } : {}
const round = value => Math.round(10 * value) / 10

module.exports = { Track }
