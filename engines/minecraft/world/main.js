'use strict'
// A small Minecraft world on this machine, for who has no server: flying-squid with what it lacks.
// node world/main.js '{"port": 25565, "truth": 0, "version": "1.16.5", "seed": 1, "cook": 10}';
// truth 0: none; cook: seconds that a furnace takes.

const path = require('path')
const { Vec3 } = require('vec3')
const { createMCServer } = require('flying-squid')

const HOME = { x: 8, z: 8 } // nothing grows in the first chunk
const { port, truth, version, seed, cook } = JSON.parse(process.argv[2])

const serv = createMCServer({
  host: '127.0.0.1',
  port,
  version,
  motd: 'Spark',
  'online-mode': false,
  'max-players': 20,
  'max-entities': 200,
  'view-distance': 5,
  'player-list-text': { header: { text: '' }, footer: { text: '' } },
  gameMode: 0,
  difficulty: 1,
  kickTimeout: 30_000,
  generation: { name: path.join(__dirname, 'terrain.js'), options: { seed } },
  plugins: {},
  noConsoleOutput: true,
  logging: false
})

function troubled (error) {
  process.stderr.write(`${error.stack ?? error}\n`)
  if (error.code === 'EADDRINUSE') process.exit(1)
}

const getBlock = position => serv.overworld.getBlock(position.floored())

serv.getSpawnPoint = async () => {
  for (let y = 100; y > 50; y--) {
    if ((await getBlock(new Vec3(HOME.x, y, HOME.z))).boundingBox === 'block') return new Vec3(HOME.x + 0.5, y + 1, HOME.z + 0.5)
  }
  throw new Error('this world has no ground')
}
require('./crafting').server(serv)
require('./smelting').server(serv, cook * 1000)
require('./beds').server(serv)
const chests = require('./chests').server(serv)
require('./mobs').server(serv)
require('./survival').server(serv, { getBlock })
if (truth) require('./truth').server(serv, truth, chests)

serv.on('listening', () => process.stderr.write(`a world of seed ${seed} on port ${port}, Minecraft ${version}\n`))
serv.on('error', troubled)
process.on('uncaughtException', troubled) // one player's odd packet does not end the world for all
for (const signal of ['SIGTERM', 'SIGINT']) process.on(signal, () => process.exit(0))
