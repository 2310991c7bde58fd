'use strict'
// The few words of JSON Schema that our actions use, and whether parameters are what a schema says. Pure.

const object = (properties, required = Object.keys(properties)) => ({ type: 'object', properties, required })
const some = maximum => ({ type: 'integer', minimum: 1, maximum })
const word = { type: 'string', maxLength: 40 }

/** What is wrong, in words, or "". */
function wrong (schema, data) {
  if (!schema) return ''
  if (typeof data !== 'object' || data === null || Array.isArray(data)) return 'The parameters must be an object.'
  for (const [name, rule] of Object.entries(schema.properties)) {
    if (!(name in data)) {
      if (schema.required.includes(name)) return `The parameter ${name} is missing.`
      continue
    }
    const why = objection(rule, data[name])
    if (why) return `The parameter ${name} ${why}.`
  }
  return ''
}

function objection (rule, value) {
  if (rule.enum) return rule.enum.includes(value) ? '' : `must be one of ${rule.enum.join(', ')}`
  if (rule.type === 'integer') {
    const within = Number.isInteger(value) && value >= rule.minimum && value <= rule.maximum
    return within ? '' : `must be a whole number from ${rule.minimum} to ${rule.maximum}`
  }
  if (rule.type === 'array') {
    const within = Array.isArray(value) && value.length >= rule.minItems && value.length <= rule.maxItems
    return within ? '' : `must be a list of ${rule.minItems} to ${rule.maxItems}`
  }
  if (typeof value !== 'string') return 'must be a text'
  const least = rule.minLength ?? 1
  const within = value.length >= least && value.length <= rule.maxLength
  return within ? '' : `must have ${least} to ${rule.maxLength} characters`
}

module.exports = { wrong, object, some, word }
