/** A failing input made small: pieces are left out, halves first and single octets last, as long as it still fails. */

/** Milliseconds at most: a finding should be small, but it should also be printed. */
const patienceMs = 8000;

const plain = 0x61;

/** `fails` says whether a smaller input still shows the same failure. */
export async function minimise(
  input: Buffer,
  fails: (candidate: Buffer) => Promise<boolean>,
): Promise<Buffer> {
  const endAt = performance.now() + patienceMs;
  const stillFails = (candidate: Buffer) => performance.now() < endAt && fails(candidate);
  const shorter = await shorten(input, stillFails);
  return simplify(shorter, stillFails);
}

async function shorten(
  input: Buffer,
  stillFails: (candidate: Buffer) => false | Promise<boolean>,
): Promise<Buffer> {
  let smallest = input;
  for (
    let piece = Math.ceil(smallest.length / 2);
    piece >= 1;
    piece = piece === 1 ? 0 : Math.ceil(piece / 2)
  ) {
    for (let at = 0; at < smallest.length; ) {
      const candidate = Buffer.concat([smallest.subarray(0, at), smallest.subarray(at + piece)]);
      if (await stillFails(candidate)) smallest = candidate;
      else at += piece;
    }
  }
  return smallest;
}

/** Octets that do not matter become an `a`, so that those that do stand out. */
async function simplify(
  input: Buffer,
  stillFails: (candidate: Buffer) => false | Promise<boolean>,
): Promise<Buffer> {
  let simplest = input;
  for (let at = 0; at < simplest.length; at++) {
    if (simplest[at] === plain) continue;
    const candidate = Buffer.from(simplest);
    candidate[at] = plain;
    if (await stillFails(candidate)) simplest = candidate;
  }
  return simplest;
}
