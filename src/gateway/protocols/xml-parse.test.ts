import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { parseXml, XmlError } from './xml-parse.ts'

describe('the XML parser', () => {
  it('reads elements, attributes, entities, CDATA and comments', () => {
    const root = parseXml(
      `\ufeff<?xml version="1.0"?><!-- a > b --><s3:A xmlns:s3='x' b = "1>2 &amp; 3"><B/>a &lt;&#x41;&#66;<![CDATA[<&]]></s3:A >\n`,
    )
    assert.deepEqual(root, {
      name: 'A',
      attributes: { 'xmlns:s3': 'x', b: '1>2 & 3' },
      children: [{ name: 'B', attributes: {}, children: [], text: '' }],
      text: 'a <AB<&',
    })
  })
  for (const text of [
    '',
    'text',
    '<a>',
    '</a>',
    '<a></b>',
    '<a/><b/>',
    '<a>&nbsp;</a>',
    '<a>&amp</a>',
    '<a b></a>',
    '<a b=1/>',
    '< a/>',
    '<a',
    '<!DOCTYPE a><a/>',
    '<!DOCTYPE a [<!ENTITY b "c">]><a>&b;</a>',
    '<a><!-- </a>',
    '<a><![CDATA[</a>',
    '<a/>text',
    '<a>&#x110000;</a>',
    '<a>&#99999999;</a>',
    '<a>'.repeat(100) + '</a>'.repeat(100),
  ])
    it(`refuses ${JSON.stringify(text.slice(0, 50))}`, () => {
      assert.throws(() => parseXml(text), XmlError)
    })
})
