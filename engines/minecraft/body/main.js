'use strict'
// A body in a Minecraft world, played over the game wire: node body/main.js '{...}' (the options of engines.minecraft).

const { createServer } = require('http')
const { homedir } = require('os')
const { join } = require('path')
const { Conductor } = require('./conductor')
const { refused } = require('./guard')
const map = require('./map')
const { Session } = require('./session')
const { Skills, embedder } = require('./skills')
const { flaw } = require('./steps')
const { Track } = require('./track')
const { weighed } = require('./weight')
const { Wire } = require('./wire')

const options = JSON.parse(process.argv[2])
const wire = new Wire(options.games, 'Minecraft')
const session = new Session(options)
const track = new Track(process.env.SPARK_RUN ?? '')
const data = process.env.XDG_DATA_HOME || join(homedir(), '.local/share')
const folder = options.skills || join(data, 'spark-vtuber/minecraft')
const skills = new Skills(join(folder, 'skills.jsonl'), flaw, embedder(options.embeddings, options.embeddings_model))
const conductor = new Conductor(wire, session, options, track, skills)

/** How it stands, for the one who started us: GET / on the loopback port; GET /weighed also says what it has kept. */
const status = createServer((request, response) => {
  const why = refused(request.headers, map.about(request))
  if (why) return response.writeHead(403, { 'content-type': 'text/plain' }).end(`${why}\n`)
  if (map.about(request)) return map.answer(request, response, session.bot, conductor.job?.said ?? '')
  const state = {
    ready: session.there,
    world: session.bot !== null,
    games: wire.open,
    doing: conductor.job?.said ?? '',
    reflex: conductor.reflexes?.acting ?? '',
    why: session.why,
    memory: process.memoryUsage().rss,
    ...(request.url === '/weighed' && weighed([process, wire, session, session.bot, session.bot?._client, session.bot?.world]))
  }
  response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(state))
})
status.on('error', error => quit(`port ${options.port} cannot be opened (${error.code}); cure: minecraft.engine.port=PORT`))
status.listen(options.port, options.host)

session.on('out', why => {
  const cure = 'see that the server runs, and minecraft.host, port, version and username'
  if (!session.there) quit(`no way into the Minecraft world: ${why}; cure: ${cure}`)
})

function quit (line) {
  process.stderr.write(`${line}\n`)
  process.exit(1)
}

for (const signal of ['SIGTERM', 'SIGINT']) {
  process.on(signal, () => {
    session.leave()
    wire.end()
    setTimeout(() => process.exit(0), 50) // so that the server hears that she left
  })
}
process.on('unhandledRejection', error => process.stderr.write(`${error?.stack ?? error}\n`)) // a wait inside mineflayer
track.follow(() => session.bot)
session.join()
wire.connect()
