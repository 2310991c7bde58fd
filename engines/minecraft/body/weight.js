'use strict'
// What the body has kept: who lets it run for hours looks at this, and nobody else pays for it.

const v8 = require('v8')
const { runInNewContext } = require('vm')

/** Memory (bytes) when its rubbish is collected, listeners at `emitters`, and what keeps the process alive. */
function weighed (emitters) {
  v8.setFlagsFromString('--expose-gc')
  runInNewContext('gc')()
  const { rss, heapUsed, external } = process.memoryUsage()
  const count = emitter => emitter.eventNames().reduce((sum, name) => sum + emitter.listenerCount(name), 0)
  const waits = {}
  for (const kind of process.getActiveResourcesInfo()) waits[kind] = (waits[kind] ?? 0) + 1
  return { memory: rss, heap: heapUsed, external, listeners: emitters.filter(Boolean).map(count).reduce((a, b) => a + b, 0), waits }
}

module.exports = { weighed }
