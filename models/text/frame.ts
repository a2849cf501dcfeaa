/** The `post_processor` of a `tokenizer.json`: the tokens that come before and after a text. */
import { UserError } from "../errors.ts";
import { isObject } from "../files/json.ts";
import { typeIn } from "./kind.ts";

/**
 * The tokens that a post-processor puts before and after a text; undefined where it says nothing of
 * them. Throws a `UserError` naming one that is not computed.
 */
export function frameOf(
  processor: unknown,
  source: string,
): { first: string; last: string } | undefined {
  if (processor === null || processor === undefined) return undefined;
  if (isObject(processor)) {
    const { type, cls, sep, processors } = processor;
    if (type === "ByteLevel") return undefined; // it moves offsets, no tokens
    if (type === "Sequence" && Array.isArray(processors)) {
      const frames = processors.map((inner: unknown) => frameOf(inner, source));
      return frames.find((frame) => frame !== undefined);
    }
    if (type === "BertProcessing" || type === "RobertaProcessing") {
      const [first, last] = [cls, sep].map((pair) => Array.isArray(pair) ? pair[0] : undefined);
      if (typeof first === "string" && typeof last === "string") return { first, last };
    }
    if (type === "TemplateProcessing") {
      const { single } = processor;
      const [first, text, last, ...more] = Array.isArray(single) ? single.map(pieceOf) : [];
      if (text === true && more.length === 0 && isToken(first) && isToken(last)) {
        return { first, last };
      }
      throw new UserError(
        `${source} has a TemplateProcessing that does not put one token before a text and one after ` +
          `it, which is all that is computed here.`,
      );
    }
  }
  throw new UserError(
    `${source} has the post_processor ${typeIn(processor)}, which is not computed here, or not ` +
      `as it stands there. These are: BertProcessing, RobertaProcessing, TemplateProcessing, ` +
      `ByteLevel and a Sequence of them.`,
  );
}

const isToken = (piece: string | true | undefined): piece is string => typeof piece === "string";

/** A piece of a template: a special token, or true for the text. */
function pieceOf(piece: unknown): string | true | undefined {
  if (!isObject(piece)) return undefined;
  const { SpecialToken: special, Sequence: sequence } = piece;
  if (isObject(sequence)) return true;
  return isObject(special) && typeof special.id === "string" ? special.id : undefined;
}
