'use strict'
// Between the game wire and the body: takes her choices, does one at a time, and tells what truly came of each.

const { ACTIONS, announced, worthwhile } = require('./actions')
const { Cancelled, Failed, Interrupted, Job } = require('./job')
const { wrong } = require('./schema')
const { Reflexes } = require('./reflexes')
const { described, inventory } = require('./state')
const { listed } = require('./names')

const AT_ONCE_MS = 1500 // what takes longer is told as begun, and its outcome later
const AGAIN = ' It happens again and again: somebody has to look at the server, or at minecraft.host, port, version' +
  ' and username.'
const FORGET_MS = 120_000 // a question that was not answered is asked again

class Conductor {
  /** `idle`: seconds after which she is asked what to do next; 0: never. */
  constructor (wire, session, idle, track) {
    Object.assign(this, { wire, session, idle, track })
    this.job = null
    this._free = Date.now()
    this._asked = 0
    wire.on('open', () => this._begin())
    wire.on('action', (id, name, data) => this._do(id, name, data))
    session.on('in', bot => this._in(bot))
    session.on('out', (why, again, loop) => this._out(why, again, loop))
    setInterval(() => this._ask(), 1000)
  }

  get bot () { return this.session.bot }

  _begin () {
    this._asked = 0
    this._free = Date.now()
    this.wire.register(announced())
    const outside = `You are not in the Minecraft world: ${this.session.why}.`
    this.wire.context(this.bot ? `You are in a Minecraft world.\n${described(this.bot, this.job?.said)}` : outside, true)
  }

  _in (bot) {
    this.reflexes = new Reflexes(bot, () => this.job, message => this._tell(message))
    bot.on('chat', (name, text) => {
      if (name !== bot.username) this._tell(`${name} says in the game: "${text.slice(0, 200)}"`)
    })
    bot.on('death', () => {
      this.job?.cancel('you died')
      this._tell('You died in the game, and begin again where you started.')
    })
    this._tell('You are in the Minecraft world.')
  }

  _out (why, again, loop) {
    this.reflexes?.end()
    this.job?.cancel('you are out of the game')
    const cure = loop ? AGAIN : ''
    process.stderr.write(`out of the world: ${why}; again in ${again} s.${cure}\n`)
    if (this.session.ever) this._tell(`You are out of the Minecraft world (${why}). You try again in ${again} seconds.${cure}`)
  }

  _tell (message) { this.wire.context(message) }

  /** A choice of hers: judged at once, done, and its outcome told. */
  async _do (id, name, data) {
    this._asked = 0
    const action = ACTIONS[name]
    const objection = this._objection(action, name, data)
    if (objection) return this.wire.result(id, false, objection)
    if (action.quick) return this._quick(id, action, data)
    if (this.job) {
      this.job.cancel('something else is more urgent')
      await this._ended
    }
    this._ended = this._work(id, action, name, data)
  }

  _objection (action, name, data) {
    if (!action) return `There is no action ${name}.`
    if (!this.bot?.entity) return `You are not in the Minecraft world: ${this.session.why}.`
    if (this.job && !action.quick && !action.urgent) return `You are busy: ${this.job.said}. Stop first, or wait.`
    return wrong(action.schema, data)
  }

  async _quick (id, action, data) {
    try {
      const said = await action.run({ bot: this.bot, stop: () => this._stop() }, data)
      this.wire.result(id, true, said)
    } catch (error) {
      this.wire.result(id, false, sentence(error))
    }
  }

  _stop () {
    this.job?.cancel('you wanted to stop')
    return this.job !== null
  }

  async _work (id, action, name, data) {
    const said = `${name} ${Object.values(data).join(' ')}`.replaceAll('_', ' ').trim()
    const bot = this.bot
    const job = this.job = new Job(name, said, inventory(bot), action.seconds)
    const began = Date.now()
    let judged = false
    const begun = setTimeout(() => {
      judged = true
      this.wire.result(id, true, '') // no outcome yet, so nothing to talk about
      this.wire.context(`You have begun: ${said}. It is not done yet.`, true)
    }, AT_ONCE_MS)
    const [success, outcome] = await this._finish(action, data, job)
    clearTimeout(begun)
    this.job = null
    this._free = Date.now()
    this.track.did(said, began, success, bot.entity?.position)
    if (judged) this._tell(outcome)
    else this.wire.result(id, success, outcome)
  }

  /** Run a job to its end, again after each reflex that interrupts it. */
  async _finish (action, data, job) {
    const bot = this.bot
    const told = step => this.wire.context(`On the way: you did ${step.do} ${step.count} ${step.item.replaceAll('_', ' ')}.`, true)
    while (true) {
      try {
        while (this.reflexes.acting) await job.sleep(100)
        const outcome = await action.run({ bot, told, killed: this.reflexes.killed }, data, job)
        return [true, `Done: ${job.said}. ${outcome}`]
      } catch (error) {
        if (error instanceof Interrupted) {
          while (this.reflexes.acting && !job.over) await new Promise(resolve => setTimeout(resolve, 50))
          job.resume()
          continue
        }
        if (error instanceof Cancelled) return [false, `You did not finish ${job.said}: ${error.message}.`]
        if (!(error instanceof Failed)) process.stderr.write(`${job.said}: ${error.stack}\n`)
        return [false, `You could not do ${job.said}: ${sentence(error)} You have: ${listed(inventory(bot))}.`]
      } finally {
        bot.pathfinder?.setGoal(null)
      }
    }
  }

  /** When she has had nothing to do for a while, she is asked. */
  _ask () {
    const now = Date.now()
    const free = this.bot?.entity && !this.job && !this.reflexes.acting && this.wire.open
    if (!free || !this.idle || now - this._free < this.idle * 1000 || now - this._asked < FORGET_MS) return
    this._asked = now
    const names = worthwhile(this.bot)
    this.wire.force(described(this.bot), 'You have nothing to do in the game. What do you do next?', names)
  }
}

function sentence (error) {
  const text = String(error.message ?? error).split('\n')[0].slice(0, 160)
  return text.charAt(0).toUpperCase() + text.slice(1).replace(/\.?$/, '.')
}

module.exports = { Conductor }
