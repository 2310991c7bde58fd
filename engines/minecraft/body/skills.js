'use strict'
// What she has learnt to do: steps that once did what was wanted, each with what it was for, found again by likeness to
// what is wanted now. A JSON line a skill; they are data, never programs, and are checked when they are read. No viewer
// is in them: of a goal only words of the game and of every day are kept, and what names a player is not learnt.

const { mkdirSync, readFileSync, renameSync, writeFileSync } = require('fs')
const { dirname } = require('path')
const { purpose, words } = require('./vocabulary')

const MOST = 200 // the newest; who is used again becomes new
const OFFERED = 3
const FAILURES = 3 // in a row; then it is forgotten
const LIKE = 0.3 // MiniLM's cosine of a wish and what a skill is for: fitting wishes had 0.30 to 0.71, chat 0.24 at most
const SHARED = 0.5 // without embeddings: the share of words in common

class Skills {
  /** `path` of the file; `flaw(steps)` says what is wrong with steps; `embed(texts)` gives vectors, or is null. */
  constructor (path, flaw, embed = null) {
    Object.assign(this, { _path: path, _flaw: flaw, _embed: embed })
    this._vectors = new Map() // by goal
    this._known = new Map() // by name, the oldest first
    for (const skill of this._read()) this._known.set(skill.name, skill)
    if (this._known.size) this._write()
  }

  get (name) { return this._known.get(name) }

  /** Those that were for something like `text`, the likest first. */
  async find (text) {
    const skills = [...this._known.values()]
    if (!skills.length) return []
    const [likeness, least] = await this._likeness(text, skills)
    return skills.map((skill, n) => [likeness[n], skill]).filter(([like]) => like >= least)
      .sort(([a], [b]) => b - a).slice(0, OFFERED).map(([, skill]) => skill)
  }

  /** These steps did what was wanted. */
  learn (goal, steps) {
    const skill = kept({ goal, steps, done: 1, failed: 0 })
    if (this._good(skill)) this._keep(skill)
  }

  /** A skill was used again. */
  used (name, success) {
    const skill = this._known.get(name)
    if (!skill) return
    const now = { ...skill, done: skill.done + (success ? 1 : 0), failed: success ? 0 : skill.failed + 1 }
    if (now.failed < FAILURES) return this._keep(now)
    this._known.delete(name)
    this._write()
  }

  async _likeness (text, skills) {
    try {
      if (this._embed) {
        const fresh = skills.filter(({ goal }) => !this._vectors.has(goal))
        const [wanted, ...rows] = await this._embed([text, ...fresh.map(({ goal }) => goal)])
        fresh.forEach(({ goal }, n) => this._vectors.set(goal, rows[n]))
        return [skills.map(({ goal }) => cosine(wanted, this._vectors.get(goal))), LIKE]
      }
    } catch (error) {
      process.stderr.write(`skills are looked up by words: the embeddings server: ${error.message}\n`)
    }
    return [skills.map(({ goal }) => shared(text, goal)), SHARED]
  }

  _good ({ goal, steps, done, failed }) {
    const named = steps.some(each => each?.player !== undefined)
    return words(goal).length > 0 && Number.isInteger(done) && Number.isInteger(failed) && !named && !this._flaw(steps)
  }

  _keep (skill) {
    this._known.delete(skill.name)
    this._known.set(skill.name, skill)
    for (const name of [...this._known.keys()].slice(0, -MOST)) this._known.delete(name)
    this._write()
  }

  _read () {
    let text
    try {
      text = readFileSync(this._path, 'utf8')
    } catch {
      return [] // she has learnt nothing yet
    }
    const found = []
    for (const line of text.split('\n').filter(Boolean).slice(-MOST)) {
      try {
        const skill = kept(JSON.parse(line)) // an older file may hold more
        if (this._good(skill)) found.push(skill)
        else throw new Error('it is none')
      } catch (error) {
        process.stderr.write(`${this._path}: a skill was left out: ${error.message}\n`)
      }
    }
    return found
  }

  _write () {
    try {
      mkdirSync(dirname(this._path), { recursive: true })
      writeFileSync(`${this._path}.new`, [...this._known.values()].map(each => JSON.stringify(each) + '\n').join(''))
      renameSync(`${this._path}.new`, this._path)
    } catch (error) {
      process.stderr.write(`${this._path}: ${error.code}; what she learns is forgotten when the show ends\n`)
    }
  }
}

/** A client of an OpenAI embeddings server; null without an address. */
function embedder (url, model) {
  if (!url) return null
  return async texts => {
    const answer = await fetch(`${url}/v1/embeddings`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ model, input: texts, encoding_format: 'float' }),
      signal: AbortSignal.timeout(2000)
    })
    if (!answer.ok) throw new Error(`HTTP ${answer.status}`)
    const rows = (await answer.json()).data.sort((a, b) => a.index - b.index).map(row => row.embedding)
    if (rows.length !== texts.length) throw new Error('an answer of another form')
    return rows
  }
}

/** A skill as it may be in the file. Raises for what is none. */
function kept ({ goal, steps, done, failed }) {
  if (typeof goal !== 'string' || !Array.isArray(steps)) throw new Error('it is none')
  const what = purpose(goal, steps)
  return { name: what.replaceAll(' ', '_').slice(0, 40), goal: what, steps, done, failed }
}

function shared (text, goal) {
  const [asked, known] = [new Set(words(text)), new Set(words(goal))]
  return [...known].filter(word => asked.has(word)).length / Math.max(1, Math.min(asked.size, known.size))
}

function cosine (a, b) {
  let [dot, aa, bb] = [0, 0, 0]
  for (let n = 0; n < a.length; n++) {
    dot += a[n] * b[n]
    aa += a[n] ** 2
    bb += b[n] ** 2
  }
  return dot / (Math.sqrt(aa * bb) || 1)
}

module.exports = { Skills, embedder }
