/** The page's styles, light and dark, on screens and on paper. */
import ground from "../../web/styles/ground.css" with { type: "text" };
import tokens from "../../web/styles/tokens.css" with { type: "text" };
import base from "./styles/base.css" with { type: "text" };
import charts from "./styles/charts.css" with { type: "text" };
import print from "./styles/print.css" with { type: "text" };
import tables from "./styles/tables.css" with { type: "text" };
import text from "./styles/text.css" with { type: "text" };

/** In this order: what is printed comes over all before. */
export const style = [tokens, ground, base, tables, charts, text, print].join("\n");
