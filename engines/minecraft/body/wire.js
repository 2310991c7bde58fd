'use strict'
// A client of the Neuro Game API (VedalAI/neuro-sdk, API/SPECIFICATION.md): this body is a game like any other.
// It connects again for ever; 'open' is emitted whenever everything has to be said anew.

const { EventEmitter } = require('events')

const PAUSES = [500, 10_000] // ms between two tries: doubled from the first to the second
const LONGEST = 600 // characters of a message
const TAKEN_OVER = 4009 // another body plays this game: the two must not take it from each other all the time
const YIELD_MS = 60_000

class Wire extends EventEmitter {
  constructor (url, game) {
    super()
    this.game = game
    this._url = url
    this._pause = PAUSES[0]
    this._ended = false
  }

  get open () { return this._socket?.readyState === WebSocket.OPEN }

  connect () {
    if (this._ended) return
    const socket = this._socket = new WebSocket(this._url)
    socket.onopen = () => {
      this._pause = PAUSES[0]
      this._send('startup')
      this.emit('open')
    }
    socket.onmessage = ({ data }) => this._take(data)
    socket.onerror = () => {} // onclose follows
    socket.onclose = ({ code, reason }) => {
      if (this._ended || socket !== this._socket) return
      if (code === TAKEN_OVER) process.stderr.write(`${reason}: this one tries again in ${YIELD_MS / 1000} s\n`)
      this._timer = setTimeout(() => this.connect(), code === TAKEN_OVER ? YIELD_MS : this._pause)
      this._pause = Math.min(2 * this._pause, PAUSES[1])
    }
  }

  end () {
    this._ended = true
    clearTimeout(this._timer)
    this._socket?.close()
  }

  register (actions) { this._send('actions/register', { actions }) }

  unregister (names) { this._send('actions/unregister', { action_names: names }) }

  /** `spark`: a field that our own server knows (glue/games/messages.py), and others ignore. */
  context (message, silent = false, spark = undefined) {
    this._send('context', { message: message.slice(0, LONGEST), silent, ...(spark && { spark }) })
  }

  /** How it stands now, which actions would be begun, and who is there; what was said of it before is over. */
  standing (message, takes = [], players = []) { this.context(message, true, { standing: true, takes, players }) }

  /** A player wrote this in the game. */
  chat (player, text) { this.context(`${player} says in the game: "${text}"`, false, { player, text }) }

  force (state, query, names) {
    this._send('actions/force', { state, query, ephemeral_context: true, priority: 'low', action_names: names })
  }

  /** `silent`: no news for chat. */
  result (id, success, message, silent = false) {
    this._send('action/result', { id, success, message: message.slice(0, LONGEST), ...(silent && { spark: { silent } }) })
  }

  _send (command, data) {
    if (this.open) this._socket.send(JSON.stringify({ command, game: this.game, ...(data && { data }) }))
  }

  _take (text) {
    let message
    try {
      message = JSON.parse(text)
    } catch {
      return
    }
    if (message?.command === 'actions/reregister_all') this.emit('open')
    if (message?.command === 'spark/wish') this.emit('wish', String(message.data?.text ?? ''))
    if (message?.command !== 'action' || typeof message.data?.id !== 'string') return
    let given = {}
    try {
      given = message.data.data ? JSON.parse(message.data.data) : {}
    } catch {
      return this.result(message.data.id, false, 'The parameters are not JSON.')
    }
    this.emit('action', message.data.id, message.data.name, given ?? {})
  }
}

module.exports = { Wire }
