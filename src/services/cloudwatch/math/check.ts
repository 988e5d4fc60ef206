// What an expression's parts are (S, TS, TS[]), told without data: an alarm is refused when it is put, not when it is evaluated.
// AWS documents the types, not what it says of wrong ones: those words are ours.
import { inExpression, unsupported } from './errors.ts'
import { FUNCTIONS, type Taken, type Type, UNSUPPORTED } from './functions.ts'
import type { Expression } from './parse.ts'

/** What an expression may name. */
export type Scope = {
  /** The Id of the expression's own query, for errors. */
  id: string
  typeOf(id: string): Type | undefined
  isMetric(id: string): boolean
}

export function typeOf(expression: Expression, scope: Scope): Type {
  const wrong = (message: string) => inExpression(scope.id, message)
  switch (expression.kind) {
    case 'number':
      return 'S'
    case 'id': {
      const type = scope.typeOf(expression.id)
      if (!type) throw wrong(`ID '${expression.id}' not found`)
      return type
    }
    case 'word':
    case 'string':
      throw wrong('Invalid syntax')
    case 'array':
      for (const item of expression.items)
        if (typeOf(item, scope) === 'S') throw wrong('An array cannot have a scalar in it')
      return 'TS[]'
    case 'negative':
      return typeOf(expression.operand, scope)
    case 'binary': {
      const [left, right] = [typeOf(expression.left, scope), typeOf(expression.right, scope)]
      if (left === 'TS[]' && right === 'TS[]')
        throw wrong(`Unsupported operand types for ${expression.operator}: TS[] and TS[]`)
      return left === 'TS[]' || right === 'TS[]' ? 'TS[]' : left === 'TS' || right === 'TS' ? 'TS' : 'S'
    }
    case 'call':
      return typeOfCall(expression.name, expression.arguments, scope)
  }
}

function typeOfCall(name: string, given: Expression[], scope: Scope): Type {
  if (UNSUPPORTED.includes(name)) throw unsupported(`The function ${name}`)
  const known = Object.hasOwn(FUNCTIONS, name) ? FUNCTIONS[name] : undefined
  if (!known) throw inExpression(scope.id, `Function '${name}' not found`)
  const kinds = given.map((argument) => kindOf(argument, scope))
  const signature = known.signatures.find(
    ({ takes }) =>
      takes.length === kinds.length && takes.every((taken, index) => accepts(taken, kinds[index] as Kind)),
  )
  if (signature) return signature.gives
  const told = kinds.map((kind) => kind.type ?? kind.word ?? 'string').join(', ')
  throw inExpression(scope.id, `Function '${name}' does not take (${told})`)
}

type Kind = { type?: Type; isMetric?: boolean; word?: string }

function kindOf(argument: Expression, scope: Scope): Kind {
  if (argument.kind === 'word') return { word: argument.word }
  if (argument.kind === 'string') return {}
  const isMetric = argument.kind === 'id' && scope.isMetric(argument.id)
  return { type: typeOf(argument, scope), isMetric }
}

function accepts(taken: Taken, { type, isMetric, word }: Kind): boolean {
  if (typeof taken === 'object') return word !== undefined && taken.words.includes(word)
  if (taken === 'string') return type === undefined && word === undefined
  return taken === 'metric' ? isMetric === true : type === taken
}

/** The queries that an expression's value depends on; `every` is what METRICS() may give. */
export function namedIn(expression: Expression, every: readonly string[]): Set<string> {
  const named = new Set<string>()
  const visit = (part: Expression): void => {
    if (part.kind === 'id') named.add(part.id)
    else if (part.kind === 'array') part.items.forEach(visit)
    else if (part.kind === 'negative') visit(part.operand)
    else if (part.kind === 'binary') [part.left, part.right].forEach(visit)
    else if (part.kind === 'call') {
      if (part.name === 'METRICS') every.forEach((id) => named.add(id))
      part.arguments.forEach(visit)
    }
  }
  visit(expression)
  return named
}
