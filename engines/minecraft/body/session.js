'use strict'
// Her presence in the Minecraft world: joins, joins again with back-off when it was thrown out, and says why.

const { EventEmitter } = require('events')
const { connect } = require('net')
const mineflayer = require('mineflayer')
const { pathfinder, Movements } = require('mineflayer-pathfinder')

const PAUSES = [1000, 60_000] // ms before joining again: doubled from the first to the second
const STEADY_MS = 60_000 // in the world for so long: the next time is quick again
const LOOP = 3 // times in a row; then the operator is told what to do
const JOIN_MS = 600_000 // a world that loads for longer is left, and joined anew
const KEPT = ['crafting_table', 'furnace', 'chest'] // on her way she breaks none of them
const LOADING_MS = 4000 // a server that answers and lets nobody in for so long is loading its world

class Session extends EventEmitter {
  constructor (options) {
    super()
    this.bot = null // while she is in the world
    this.why = 'not yet there'
    this._options = options
    this._pause = PAUSES[0]
    this._times = 0
    this.there = false // a server is: it has let her in, or it keeps her waiting
  }

  join () {
    const { server, server_port: port } = this._options
    let bot
    try {
      bot = this._bot()
    } catch (error) { // of a version that it does not know
      return this.emit('out', words(error, server, port), 0, true)
    }
    this._current = bot
    bot.loadPlugin(pathfinder)
    const began = Date.now()
    this._loads = setInterval(() => this._waits(bot, Math.round((Date.now() - began) / 1000)), LOADING_MS)
    bot.once('spawn', () => {
      clearInterval(this._loads)
      bot.pathfinder.setMovements(movements(bot))
      bot.pathfinder.thinkTimeout = 8000
      this.bot = bot
      this._since = Date.now()
      this.there = true
      this.why = ''
      this._listens(bot)
      this.emit('in', bot)
    })
    bot.on('kicked', reason => this._gone(bot, `kicked: ${plain(reason)}`))
    bot.on('error', error => { // in the world it is a packet that could not be read, mostly; 'end' follows where it was more
      if (this.bot === bot) process.stderr.write(`${words(error, server, port)}\n`)
      else this._gone(bot, words(error, server, port))
    })
    bot.on('end', reason => this._gone(bot, `the connection ended (${reason})`))
  }

  _bot () {
    const { server, server_port: port, version, username, auth } = this._options
    return mineflayer.createBot({
      host: server,
      port,
      username,
      auth,
      version: version || false,
      hideErrors: true,
      checkTimeoutInterval: 2 * JOIN_MS, // _listens() is earlier
      closeTimeout: JOIN_MS, // for its version, which a world that loads does not tell
      onMsaCode: ({ verification_uri: page, user_code: code }) => {
        process.stderr.write(`Microsoft's login: open ${page} and type ${code}\n`)
      }
    })
  }

  /** Neither in nor turned away: a world may take minutes to load, and a server that is there is worth the wait. */
  async _waits (bot, seconds) {
    if (seconds * 1000 >= JOIN_MS) return this._gone(bot, `the world did not load within ${JOIN_MS / 1000} s`)
    const { server, server_port: port } = this._options
    if (!this.there && !await answers(server, port)) return // the error, with its cure, comes by itself
    if (bot !== this._current || this.bot) return
    this.there = true
    this.why = `the world is still loading (${seconds} s)`
    this.emit('loading', seconds)
  }

  /** A world that hangs takes no leave: who hears nothing of it for long is out of it. */
  _listens (bot) {
    let heard = Date.now()
    bot._client.on('packet', () => { heard = Date.now() })
    this._hangs = setInterval(() => {
      if (Date.now() - heard < 1000 * this._options.patience) return
      this._gone(bot, 'the world hangs')
      bot._client.socket.destroy() // its goodbye would be waited for as long as for a world that loads
    }, 1000)
  }

  leave () {
    this._left = true
    clearTimeout(this._timer)
    clearInterval(this._loads)
    clearInterval(this._hangs)
    this._current?.quit()
  }

  _gone (bot, why) {
    if (bot !== this._current || this._left) return
    this._current = null
    clearInterval(this._loads)
    clearInterval(this._hangs)
    const steady = this.bot && Date.now() - this._since > STEADY_MS
    this.bot = null
    this.why = why
    bot.end() // its own listeners stay: they end its timers
    this._times = steady ? 1 : this._times + 1
    this._pause = steady || this._times === 1 ? PAUSES[0] : Math.min(2 * this._pause, PAUSES[1])
    const again = Math.round(this._pause / 1000)
    this.emit('out', why, again, this._times >= LOOP)
    if (this.there) this._timer = setTimeout(() => this.join(), this._pause)
  }
}

function movements (bot) {
  const moves = new Movements(bot)
  moves.maxDropDown = 3
  moves.allowParkour = false
  moves.allow1by1towers = false // out of a pit she cuts stairs; go() says when not
  const kept = bot.registry.blocksArray.filter(({ name }) => KEPT.includes(name) || name.endsWith('_bed'))
  for (const { id } of kept) moves.blocksCantBreak.add(id)
  for (const name of ['lava', 'fire', 'cactus', 'sweet_berry_bush', 'magma_block', 'campfire']) {
    const block = bot.registry.blocksByName[name]
    if (block) moves.blocksToAvoid.add(block.id)
  }
  return moves
}

function answers (host, port) {
  return new Promise(resolve => {
    const socket = connect(port, host)
    socket.once('connect', () => { socket.destroy(); resolve(true) })
    socket.once('error', () => resolve(false))
  })
}

function words (error, server, port) {
  const code = error.code ?? error.errors?.[0]?.code
  return code ? `${server}:${port} cannot be reached (${code})` : String(error.message ?? error).split('\n')[0].slice(0, 200)
}

/** A kick's reason: text, JSON of chat components, or NBT. */
function plain (reason) {
  const found = []
  const walk = value => {
    if (typeof value === 'string') found.push(value)
    else if (Array.isArray(value)) value.forEach(walk)
    else if (value && typeof value === 'object') {
      for (const key of ['text', 'translate', 'extra', 'with', 'value']) if (key in value) walk(value[key])
    }
  }
  let value = reason
  try {
    if (typeof reason === 'string') value = JSON.parse(reason)
  } catch {} // it is a plain text
  walk(value)
  return found.join(' ').replace(/\s+/g, ' ').trim().slice(0, 200) || 'no reason given'
}

module.exports = { Session, plain }
