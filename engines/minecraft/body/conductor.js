'use strict'
// Between the game wire and the body: takes her choices, does one at a time, and tells what truly came of each.

const { ACTIONS, announced, worthwhile } = require('./actions')
const { Cancelled, Failed, Interrupted, Job } = require('./job')
const { Lately } = require('./lately')
const { wrong } = require('./schema')
const { Reflexes } = require('./reflexes')
const { DO_STEPS, useSkill } = require('./steps')
const { described, inventory, players, pressing } = require('./state')
const { listed } = require('./names')

const REST_MS = 2000 // for a job to hold still before a brief one begins
const AT_ONCE_MS = 1500 // what takes longer is told as begun, and its outcome later
const AGAIN = ' It happens again and again: somebody has to look at the server, or at minecraft.host, port, version' +
  ' and username.'
const FORGET_MS = 120_000 // a question that was not answered is asked again
const WISH_MS = 180_000 // after that nobody waits for it any more
const NEWS_MS = 2000 // before she tells again how she stands, where she has or does another thing, or others are there
const WALKED_MS = 10_000 // likewise where she has only moved, or nothing is new

class Conductor {
  /** `idle`: seconds after which she is asked what to do next; 0: never. `stuck`: after which she shakes herself loose. */
  constructor (wire, session, { idle, stuck }, track, skills) {
    Object.assign(this, { wire, session, idle, stuck, track, skills })
    this._actions = { ...ACTIONS, do_steps: DO_STEPS } // and use_skill, where one fits what is wanted
    this._wished = 0
    this._jobs = [] // the last one is done, the others wait until it is over
    this._told = { at: 0, key: '' }
    this._free = Date.now()
    this._asked = 0
    this._lately = new Lately()
    wire.on('open', () => this._begin())
    wire.on('wish', text => this._wish(text))
    wire.on('action', (id, name, data) => this._do(id, name, data))
    session.on('in', bot => this._in(bot))
    session.on('out', (why, again, loop) => this._out(why, again, loop))
    session.on('loading', seconds => this._loads(seconds))
    setInterval(() => { this._stands(); this._ask() }, 1000)
  }

  get bot () { return this.session.bot }

  get job () { return this._jobs.at(-1) ?? null }

  _begin () {
    this._asked = 0
    this._free = Date.now()
    this.wire.register(announced(this._actions))
    this._told.at = 0
    if (this.bot) this._stands()
    else this._outside()
  }

  _outside () { this.wire.standing(`You are not in the Minecraft world: ${this.session.why}.`) }

  /** Somebody wants something, perhaps: what she has done before for the like of it is offered as an action. */
  async _wish (text) {
    this._wished = Date.now()
    const found = await this.skills.find(text.slice(0, 300))
    if (this._actions.use_skill) this.wire.unregister(['use_skill'])
    delete this._actions.use_skill
    if (!found.length) return
    this._actions.use_skill = useSkill(found)
    this.wire.register(announced({ use_skill: this._actions.use_skill }))
  }

  _loads (seconds) {
    process.stderr.write(`the world is still loading (${seconds} s)\n`)
    if (!this._loading) this._tell('The Minecraft world is still loading. You wait until it lets you in.')
    this._loading = true
    this._outside()
  }

  /** How she stands, whenever it is another, but not too often: a viewer may ask at any time. */
  _stands () {
    const { bot, job } = this
    if (!bot?.entity || !this.wire.open) return
    const there = players(bot).map(each => each.username).sort() // by name: who walks about is no news
    const doing = job && `${job.said}${job.far && `, ${job.far} so far`}`
    const key = JSON.stringify([inventory(bot), Math.round(bot.health), Math.round(bot.food), doing, there])
    if (Date.now() - this._told.at < (key === this._told.key ? WALKED_MS : NEWS_MS)) return
    this._told = { at: Date.now(), key }
    this.wire.standing(described(bot, doing), Object.keys(this._actions).filter(name => this._takes(name)), there)
  }

  /** Whether it would be begun now, and most likely done: what answers a question only is not asked for. */
  _takes (name) {
    const action = this._actions[name]
    const able = action.able ?? action.goal
    return !(action.quick && action.dull) && !this._objection(action, name) && (!able || able(this.bot))
  }

  _in (bot) {
    this._told.at = 0
    this.reflexes = new Reflexes(bot, () => this.job, message => this._tell(message), this.stuck * 1000)
    bot.on('chat', (name, text) => {
      if (name !== bot.username) this.wire.chat(name, text.slice(0, 200))
    })
    bot.on('death', () => {
      this._cancel('you died')
      this._tell('You died in the game, and begin again where you started.')
    })
    this._loading = false
    this._tell('You are in the Minecraft world.')
  }

  _out (why, again, loop) {
    this.reflexes?.end()
    this._cancel('you are out of the game')
    const cure = loop ? AGAIN : ''
    process.stderr.write(`out of the world: ${why}; again in ${again} s.${cure}\n`)
    if (this.session.there) this._tell(`You are out of the Minecraft world (${why}). You try again in ${again} seconds.${cure}`)
    this._outside()
  }

  /** All that is done, and waits to be gone on with. */
  _cancel (why) { for (const job of this._jobs) job.cancel(why) }

  _tell (message) { this.wire.context(message) }

  /** A choice of hers: judged at once, done, and its outcome told. */
  async _do (id, name, data) {
    this._asked = 0
    const action = this._actions[name]
    const objection = this._objection(action, name) || wrong(action.schema, data)
    if (objection) return this.wire.result(id, false, objection)
    if (action.quick) return this._quick(id, action, data)
    while (this._jobs.length > 1 || (this._idles() && !action.brief)) {
      const { job } = this
      job.cancel('something else comes first')
      await job.ended
      const late = this._objection(action, name) // meanwhile the world may be gone, or another job have begun
      if (late) return this.wire.result(id, false, late)
    }
    const ended = this._work(id, action, name, data)
    this.job.ended = ended
  }

  _objection (action, name) {
    if (!action) return `There is no action ${name}.`
    if (!this.bot?.entity) return `You are not in the Minecraft world: ${this.session.why}.`
    if (this.job && !action.quick && !action.brief && !this._idles(name)) return `You are busy: ${this.job.said}. Stop first, or wait.`
    return ''
  }

  /** She only walks about: whatever else is to be done comes first. */
  _idles (name = '') {
    return this._jobs.length === 1 && this._actions[this.job.name]?.dull === true && this.job.name !== name
  }

  async _quick (id, action, data) {
    try {
      const said = await action.run({ bot: this.bot, stop: () => this._stop() }, data)
      this.wire.result(id, true, said, action.dull)
    } catch (error) {
      this.wire.result(id, false, sentence(error))
    }
  }

  _stop () {
    this._cancel('you wanted to stop')
    return this.job !== null
  }

  async _work (id, action, name, data) {
    const said = (action.said?.(data) ?? `${name} ${Object.values(data).join(' ')}`).replaceAll('_', ' ').trim()
    const bot = this.bot
    const under = this.job // it waits, and is gone on with
    const job = new Job(name, said, inventory(bot), action.seconds)
    job.told = far => this.wire.context(`On the way: ${said}, ${far} so far.`, true)
    this._jobs.push(job)
    under?.interrupt(`${name} comes first`)
    this._told.at = 0
    this._stands() // what she takes now is another thing
    const began = Date.now()
    let judged = false
    const begun = setTimeout(() => {
      judged = true
      this.wire.result(id, true, '') // no outcome yet, so nothing to talk about
      this.wire.context(`You have begun: ${said}. It is not done yet.`, true)
    }, AT_ONCE_MS)
    for (const ends = began + REST_MS; under && !under.resting && Date.now() < ends;) await pause(20)
    const [success, outcome] = await this._finish(action, data, job)
    clearTimeout(begun)
    this._jobs = this._jobs.filter(each => each !== job)
    this._free = Date.now()
    if (success && name === 'do_steps') this.skills.learn(data.goal, data.steps)
    if (success || !job.over) this._lately.came(name, said, success)
    if (name === 'use_skill') this.skills.used(data.name, success)
    this.track.did(said, began, success, bot.entity?.position)
    if (judged && success) this.wire.context(`Done: ${said}. ${outcome}`, action.dull, { said: outcome, of: id, success })
    else if (judged) this.wire.context(outcome, action.dull && job.over, { of: id, success }) // what she only did to pass the time is no loss
    else this.wire.result(id, success, outcome, success && action.dull)
  }

  /** Run a job to its end, again after each reflex and each brief job that interrupts it. */
  async _finish (action, data, job) {
    const bot = this.bot
    const told = step => this.wire.context(`On the way: you did ${step.do} ${step.count} ${step.item.replaceAll('_', ' ')}.`, true)
    while (true) {
      try {
        while (this.reflexes.acting) await job.sleep(100)
        return [true, await action.run({ bot, told, killed: this.reflexes.killed }, data, job)]
      } catch (error) {
        if (error instanceof Interrupted) {
          await this._rest(job)
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

  async _rest (job) {
    const since = Date.now()
    job.resting = true
    while ((this.reflexes.acting || this.job !== job) && !job.over) await pause(50)
    job.resting = false
    job.resume(Date.now() - since)
  }

  /** When she has had nothing to do for a while, she is asked. */
  _ask () {
    const now = Date.now()
    const free = this.bot?.entity && !this.job && !this.reflexes.acting && this.wire.open
    if (!free || !this.idle || now - this._free < this.idle * 1000 || now - this._asked < FORGET_MS) return
    this._asked = now
    const composed = ['do_steps', 'use_skill'].filter(each => this._actions[each])
    const names = [...this._lately.worth(worthwhile(this.bot)), ...(now - this._wished < WISH_MS ? composed : [])]
    this.wire.force(pressing(this.bot), 'You have nothing to do in the game. What do you do next?', names)
  }
}

const pause = ms => new Promise(resolve => setTimeout(resolve, ms))

function sentence (error) {
  const text = String(error.message ?? error).split('\n')[0].slice(0, 160)
  return text.charAt(0).toUpperCase() + text.slice(1).replace(/\.?$/, '.')
}

module.exports = { Conductor }
