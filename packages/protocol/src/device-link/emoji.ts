/**
 * The 64 emoji of short authentication strings and their English names, in the order of the table in the Matrix specification
 * (v1.17, "SAS method: emoji"). Some end in U+FE0F, which asks for the coloured picture.
 *
 * Implements SAS-04.
 */
import { ProtocolError } from '../protocol-error.ts'

export const EMOJI: readonly { readonly emoji: string; readonly name: string }[] = [
  { emoji: '🐶', name: 'Dog' },
  { emoji: '🐱', name: 'Cat' },
  { emoji: '🦁', name: 'Lion' },
  { emoji: '🐎', name: 'Horse' },
  { emoji: '🦄', name: 'Unicorn' },
  { emoji: '🐷', name: 'Pig' },
  { emoji: '🐘', name: 'Elephant' },
  { emoji: '🐰', name: 'Rabbit' },
  { emoji: '🐼', name: 'Panda' },
  { emoji: '🐓', name: 'Rooster' },
  { emoji: '🐧', name: 'Penguin' },
  { emoji: '🐢', name: 'Turtle' },
  { emoji: '🐟', name: 'Fish' },
  { emoji: '🐙', name: 'Octopus' },
  { emoji: '🦋', name: 'Butterfly' },
  { emoji: '🌷', name: 'Flower' },
  { emoji: '🌳', name: 'Tree' },
  { emoji: '🌵', name: 'Cactus' },
  { emoji: '🍄', name: 'Mushroom' },
  { emoji: '🌏', name: 'Globe' },
  { emoji: '🌙', name: 'Moon' },
  { emoji: '☁️', name: 'Cloud' },
  { emoji: '🔥', name: 'Fire' },
  { emoji: '🍌', name: 'Banana' },
  { emoji: '🍎', name: 'Apple' },
  { emoji: '🍓', name: 'Strawberry' },
  { emoji: '🌽', name: 'Corn' },
  { emoji: '🍕', name: 'Pizza' },
  { emoji: '🎂', name: 'Cake' },
  { emoji: '❤️', name: 'Heart' },
  { emoji: '😀', name: 'Smiley' },
  { emoji: '🤖', name: 'Robot' },
  { emoji: '🎩', name: 'Hat' },
  { emoji: '👓', name: 'Glasses' },
  { emoji: '🔧', name: 'Spanner' },
  { emoji: '🎅', name: 'Santa' },
  { emoji: '👍', name: 'Thumbs-Up' },
  { emoji: '☂️', name: 'Umbrella' },
  { emoji: '⌛', name: 'Hourglass' },
  { emoji: '⏰', name: 'Clock' },
  { emoji: '🎁', name: 'Gift' },
  { emoji: '💡', name: 'Light-Bulb' },
  { emoji: '📕', name: 'Book' },
  { emoji: '✏️', name: 'Pencil' },
  { emoji: '📎', name: 'Paperclip' },
  { emoji: '✂️', name: 'Scissors' },
  { emoji: '🔒', name: 'Lock' },
  { emoji: '🔑', name: 'Key' },
  { emoji: '🔨', name: 'Hammer' },
  { emoji: '☎️', name: 'Telephone' },
  { emoji: '🏁', name: 'Flag' },
  { emoji: '🚂', name: 'Train' },
  { emoji: '🚲', name: 'Bicycle' },
  { emoji: '✈️', name: 'Aeroplane' },
  { emoji: '🚀', name: 'Rocket' },
  { emoji: '🏆', name: 'Trophy' },
  { emoji: '⚽', name: 'Ball' },
  { emoji: '🎸', name: 'Guitar' },
  { emoji: '🎺', name: 'Trumpet' },
  { emoji: '🔔', name: 'Bell' },
  { emoji: '⚓', name: 'Anchor' },
  { emoji: '🎧', name: 'Headphones' },
  { emoji: '📁', name: 'Folder' },
  { emoji: '📌', name: 'Pin' },
]

/** How many emoji stand in a line: one line is shown, all three on demand. */
const LINE_LENGTH = 7

/** The emoji of indices with their names, for eyes and for screen readers, in lines of seven. Throws `bad-input` for another index. */
export function emojiLines(indices: readonly number[]): (typeof EMOJI)[] {
  const all = indices.map(index => {
    const one = EMOJI[index]
    if (one === undefined) throw new ProtocolError('bad-input', 'SAS-04', `there is no emoji ${index}`)
    return one
  })
  return Array.from({ length: Math.ceil(all.length / LINE_LENGTH) }, (_, line) =>
    all.slice(line * LINE_LENGTH, (line + 1) * LINE_LENGTH),
  )
}
