/**
 * The member that owns a key: the one with the highest hash of both (rendezvous hashing). Every member comes to the same
 * answer, and one that joins or leaves moves only the keys that it takes or had.
 */
export function ownerOf(key: string, members: readonly string[]): string | undefined {
  let owner: string | undefined;
  let highest = -1;
  for (const member of members) {
    const score = hash(`${member} ${key}`);
    if (score < highest || (score === highest && owner !== undefined && owner < member)) continue;
    highest = score;
    owner = member;
  }
  return owner;
}

/** FNV-1a, 32 bits, with the finish of MurmurHash3: without it names that differ in their last letter stay neighbours. */
function hash(text: string): number {
  let h = 0x811c9dc5;
  for (let i = 0; i < text.length; i++) h = Math.imul(h ^ text.charCodeAt(i), 0x01000193);
  h = Math.imul(h ^ (h >>> 16), 0x85ebca6b);
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35);
  return (h ^ (h >>> 16)) >>> 0;
}
