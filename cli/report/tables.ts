/** Tables of the page: those behind charts, and those that sort. */
import { type Content, Html, markup } from "./html.ts";

export interface DataColumn {
  title: string;
  /** Numbers stand right. */
  right?: boolean;
}

export interface DataTable {
  columns: readonly DataColumn[];
  rows: readonly (readonly Content[])[];
}

/** A plain table in a box of its own, which has a name and scrolls by keys too; the first cell of a row names it. */
export function dataTable({ columns, rows }: DataTable, label: string): Html {
  const kind = ({ right }: DataColumn) =>
    right
      ? markup`
        class="number"
      `
      : "";
  const head = columns.map((column) =>
    markup`
      <th scope="col" ${kind(column)}>${column.title}</th>
    `
  );
  const body = rows.map(([name, ...cells]) =>
    markup`<tr><th scope="row"${kind(columns[0])}>${name}</th>${
      cells.map((cell, index) => markup`<td${kind(columns[index + 1])}>${cell}</td>`)
    }</tr>`
  );
  return markup`
    <div class="scroll" tabindex="0" role="group" aria-label="${label}">
      <table>
        <thead>
          <tr>${head}</tr>
        </thead>
        <tbody>${body}</tbody>
      </table>
    </div>
  `;
}

export interface SortableColumn extends DataColumn {
  /** What the column tells, where its title is short. */
  about?: string;
}

export interface SortableCell {
  content: Content;
  /** What it is sorted by; a cell without stays last. */
  by: string | number | undefined;
}

/** A table whose columns sort by a click, Enter or Space, where scripts run; without them it stays as it is. */
export function sortableTable(
  caption: Content,
  label: string,
  columns: readonly SortableColumn[],
  rows: readonly { attributes?: Content; cells: readonly SortableCell[] }[],
): Html {
  const head = columns.map(({ title, right, about }) =>
    markup`
      <th scope="col"
        ${
      right
        ? markup`
            class="number"
          `
        : ""
    }><button type="button" data-sort${
      about === undefined ? "" : markup`
          title="${about}"
        `
    }>${title}<span class="arrow" aria-hidden="true"></span></button></th>
    `
  );
  const body = rows.map(({ attributes, cells }) =>
    markup`<tr${attributes}>${
      cells.map(({ content, by }, index) => {
        const tag = new Html(index === 0 ? 'th scope="row"' : "td");
        const kind = columns[index].right
          ? markup`
            class="number"
          `
          : "";
        const key = by === undefined ? "" : markup`
          data-by="${by}"
        `;
        return markup`<${tag}${kind}${key}>${content}</${new Html(index === 0 ? "th" : "td")}>`;
      })
    }</tr>`
  );
  return markup`
    <div class="scroll" tabindex="0" role="group" aria-label="${label}">
      <table class="sortable">
        <caption><span>${caption}</span></caption>
        <thead>
          <tr>${head}</tr>
        </thead>
        <tbody>
    ${body}</tbody>
      </table>
    </div>
  `;
}
