import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { keyOf, recipeOf, RELEASES } from './recipe.ts'

const mirrors = {
  debian: 'http://mirror.example/debian/',
  security: 'http://mirror.example/debian-security/',
}
const [twelve, thirteen] = RELEASES as [(typeof RELEASES)[0], (typeof RELEASES)[0]]

describe('the recipe of a disk', () => {
  it('has a key that changes with all that goes into it, and with nothing else', () => {
    const key = keyOf(recipeOf(twelve, mirrors, 'ssh-ed25519 A'))
    assert.match(key, /^[0-9a-f]{16}$/)
    assert.equal(keyOf(recipeOf(twelve, mirrors, 'ssh-ed25519 A')), key)
    assert.notEqual(keyOf(recipeOf(thirteen, mirrors, 'ssh-ed25519 A')), key)
    assert.notEqual(keyOf(recipeOf(twelve, mirrors, 'ssh-ed25519 B')), key)
    assert.notEqual(
      keyOf(recipeOf(twelve, { ...mirrors, debian: 'http://other.example/' }, 'ssh-ed25519 A')),
      key,
    )
  })

  it('takes packages of its own release alone, with updates and security', () => {
    const { argv } = recipeOf(thirteen, mirrors, 'ssh-ed25519 A')
    assert.deepEqual(argv.slice(-4), [
      '{folder}',
      'deb http://mirror.example/debian/ trixie main',
      'deb http://mirror.example/debian/ trixie-updates main',
      'deb http://mirror.example/debian-security/ trixie-security main',
    ])
    assert.equal(
      argv.some((word) => word.includes('bookworm')),
      false,
    )
  })

  it('brings nothing of what setup is to bring', () => {
    const include = recipeOf(twelve, mirrors, '').argv.find((word) => word.startsWith('--include='))!
    for (const name of ['haproxy', 'runc', 'nginx', 'runit', 'dnsmasq'])
      assert.equal(include.includes(name), false)
  })
})
