// Threefry-2x32, 20 rounds (Salmon et al., SC'11), as engine/random.ts, and the dropout drawn from it.
// A number depends on seed, step, dropout site and element only: the backward pass draws it again
// instead of storing a mask, and no tiling changes it. Elements are counted in the whole batch, so that
// machines which share it drop what one alone would. Prepended to every kernel that drops.

struct RandomState {
  key: vec2u, // of the seed's dropout in this step: randomKey in engine/random.ts
  first: vec2u, // the batch's first token and first sentence in the whole batch, where it is a part of one
}

@group(0) @binding(10) var<uniform> random: RandomState;

fn rotate(x: u32, by: u32) -> u32 {
  return (x << by) | (x >> (32u - by));
}

fn mix(x: vec2u, by: u32) -> vec2u {
  let sum = x.x + x.y;
  return vec2u(sum, rotate(x.y, by) ^ sum);
}

fn threefry(key: vec2u, counter: vec2u) -> vec2u {
  let last = key.x ^ key.y ^ 0x1bd11bdau;
  var x = counter + key;
  x = mix(mix(mix(mix(x, 13u), 15u), 26u), 6u) + vec2u(key.y, last + 1u);
  x = mix(mix(mix(mix(x, 17u), 29u), 16u), 24u) + vec2u(last, key.x + 2u);
  x = mix(mix(mix(mix(x, 13u), 15u), 26u), 6u) + vec2u(key.x, key.y + 3u);
  x = mix(mix(mix(mix(x, 17u), 29u), 16u), 24u) + vec2u(key.y, last + 4u);
  x = mix(mix(mix(mix(x, 13u), 15u), 26u), 6u) + vec2u(last, key.x + 5u);
  return x;
}

// An element of the batch's tokens × columns as the whole batch counts it.
fn inWholeBatch(at: u32, columns: u32) -> vec2u {
  return vec2u(at + random.first.x * columns, 0);
}

// Dropout's draws for four neighbouring elements: one draw's 64 bits, 16 for each.
fn dropoutDraws(site: u32, element: vec2u) -> vec2u {
  return threefry(random.key, vec2u(element.x, (element.y << 12u) | site));
}

// The factors that draws stand for, each 0 or 1/(1 - p): p is rounded to 1/65536 (threshold = p·65536) and
// `keep` = 65536/(65536 - threshold) belongs to the rounded p, so that the expectation is exact.
fn factorsFrom(draws: vec2u, threshold: u32, keep: f32) -> vec4f {
  let each = vec4u(draws.x & 0xffffu, draws.x >> 16u, draws.y & 0xffffu, draws.y >> 16u);
  return select(vec4f(), vec4f(keep), each >= vec4u(threshold));
}

fn dropoutFactors(site: u32, element: vec2u, threshold: u32, keep: f32) -> vec4f {
  return factorsFrom(dropoutDraws(site, element), threshold, keep);
}
