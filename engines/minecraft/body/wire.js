'use strict'
// A client of the Neuro Game API (VedalAI/neuro-sdk, API/SPECIFICATION.md): this body is a game like any other.
// It connects again for ever; 'open' is emitted whenever everything has to be said anew.

const { EventEmitter } = require('events')

const PAUSES = [500, 10_000] // ms between two tries: doubled from the first to the second
const LONGEST = 600 // characters of a message

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
    socket.onclose = () => {
      if (this._ended || socket !== this._socket) return
      this.emit('closed')
      this._timer = setTimeout(() => this.connect(), this._pause)
      this._pause = Math.min(2 * this._pause, PAUSES[1])
    }
  }

  end () {
    this._ended = true
    clearTimeout(this._timer)
    this._socket?.close()
  }

  register (actions) { this._send('actions/register', { actions }) }

  context (message, silent = false) { this._send('context', { message: message.slice(0, LONGEST), silent }) }

  force (state, query, names) {
    this._send('actions/force', { state, query, ephemeral_context: true, priority: 'low', action_names: names })
  }

  result (id, success, message) { this._send('action/result', { id, success, message: message.slice(0, LONGEST) }) }

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
