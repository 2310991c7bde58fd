'use strict'
// One thing that she does: it can be cancelled, interrupted by a reflex and taken up again, and has a time limit.

class Failed extends Error {} // what was to be done cannot be done; the message says why, for her
class Cancelled extends Error {}
class Interrupted extends Error {} // by a reflex: the job begins again where it stands

class Job {
  /** `before`: what she had; `memo`: what has to outlive an interruption; `resting`: it is interrupted, and holds still. */
  constructor (name, said, before, seconds) {
    Object.assign(this, { name, said, before, memo: {}, steps: [], resting: false, far: '', _quarter: 0 })
    this.began = Date.now()
    this._ends = this.began + seconds * 1000
    this._stops = []
    this._why = null
  }

  /** The same job, for one of its steps, with a memory and a beginning of its own. */
  part ({ memo, before, began }) {
    return Object.create(this, { memo: { value: memo }, before: { value: before }, began: { value: began }, told: { value: null } })
  }

  /** So much of it is done; told at each quarter of what takes a while. */
  progress (done, of) {
    const quarter = Math.floor(4 * done / of)
    if (of < 4 || done >= of || quarter <= this._quarter) return
    this._quarter = quarter
    this.far = `${done} of ${of}`
    this.told?.(this.far)
  }

  get over () { return this._why instanceof Cancelled }

  cancel (why) { this._stop(new Cancelled(why)) }

  interrupt (why) { if (!this._why) this._stop(new Interrupted(why)) }

  /** After an interruption that took `ms`: go on. */
  resume (ms) {
    this._ends += ms
    if (!this.over) this._why = null
  }

  /** Raises when it must not go on. */
  check () {
    if (this._why) throw this._why
    if (Date.now() > this._ends) throw new Failed('it took too long')
  }

  /** Wait for a promise; `undo` is called where the job is stopped, and its time-out is kept. */
  async wait (promise, undo = () => {}, ms = this._ends - Date.now()) {
    this.check()
    let stop
    const stopped = new Promise((resolve, reject) => { stop = error => { undo(); reject(error) } })
    const timer = setTimeout(() => stop(new Failed('it took too long')), Math.max(0, ms))
    this._stops.push(stop)
    promise.catch(() => {}) // it may fail after we have stopped waiting
    try {
      return await Promise.race([promise, stopped])
    } finally {
      clearTimeout(timer)
      this._stops.splice(this._stops.indexOf(stop), 1)
    }
  }

  sleep (ms) { return this.wait(new Promise(resolve => setTimeout(resolve, ms))) }

  _stop (error) {
    this._why = error
    for (const stop of [...this._stops]) stop(error)
  }
}

module.exports = { Job, Failed, Cancelled, Interrupted }
