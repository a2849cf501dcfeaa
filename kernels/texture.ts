/**
 * Kernels that read matrices from textures. On llvmpipe (Mesa 22.3) a vec4 from a storage buffer costs 213 ns for 8
 * lanes, because each lane's load is a branch, and one from a texture about 30 ns. On SwiftShader (Chromium 156's) attention
 * takes half as long from textures, forward and backward.
 */

/**
 * The text with matrices read from textures of rgba32float, or, packed ones, of rg32uint: [rows, columns/4] texels.
 * The matrices must be storage buffers of vec4f or vec2u, or of an alias of one, whose every use is of the form
 * `name[row * width + column]`; throws where one is not. The engine makes the copies: engine/staging.ts.
 */
export function fromTextures(source: string, matrices: readonly string[]): string {
  return matrices.reduce((text, name) => {
    const buffer = new RegExp(`var<storage, read> ${name}: array<(\\w+)>;`);
    const written = buffer.exec(text)?.[1];
    const element = new RegExp(`alias ${written} = (\\w+);`).exec(text)?.[1] ?? written;
    if (element !== "vec4f" && element !== "vec2u") {
      throw new Error(`The text reads no matrix "${name}" of vectors.`);
    }
    const packed = element === "vec2u";
    const texture = text
      .replace(buffer, `var ${name}: texture_2d<${packed ? "u32" : "f32"}>;`)
      .replaceAll(
        new RegExp(`\\b${name}\\[(\\w+) \\* \\w+ \\+ (\\w+)\\]`, "g"),
        `textureLoad(${name}, vec2u($2, $1), 0)${packed ? ".xy" : ""}`,
      );
    const other = new RegExp(`\\b${name}\\[[^\\]]*`).exec(texture)?.[0];
    if (other) throw new Error(`${other}]: a texture is read as ${name}[row * width + column].`);
    return texture;
  }, source);
}
