/** Bytes as text. */

/** Two digits a byte, `00ff`; Uint8Array.toHex, which browsers have from 2025 on. */
export const hexOf = (bytes: ArrayBuffer | Uint8Array): string =>
  Array.from(new Uint8Array(bytes), (byte) => byte.toString(16).padStart(2, "0")).join("");
