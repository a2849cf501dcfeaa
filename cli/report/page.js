// The report's own script: tables sort, and a run is brought out in all charts of its comparison.

const valueOf = (row, column) => {
  const { by } = row.cells[column].dataset;
  return by === undefined || by === "" || Number.isNaN(Number(by)) ? by : Number(by);
};

const compare = (a, b) =>
  typeof a === "number" && typeof b === "number"
    ? a - b
    : String(a).localeCompare(String(b), "en", { numeric: true });

const sort = (button) => {
  const header = button.closest("th");
  const body = header.closest("table").tBodies[0];
  const column = header.cellIndex;
  // Of numbers the highest come first, of names the first of the alphabet.
  const numbers = header.classList.contains("number");
  const before = header.getAttribute("aria-sort");
  const next = before === null
    ? (numbers ? "descending" : "ascending")
    : before === "ascending"
    ? "descending"
    : "ascending";
  for (const other of header.parentElement.cells) other.removeAttribute("aria-sort");
  header.setAttribute("aria-sort", next);
  const sign = next === "ascending" ? 1 : -1;
  const rows = [...body.rows].sort((first, second) => {
    const [a, b] = [valueOf(first, column), valueOf(second, column)];
    if (a === undefined || b === undefined) {
      return Number(a === undefined) - Number(b === undefined);
    }
    return sign * compare(a, b);
  });
  body.append(...rows);
};

const bringOut = (legend, run) => {
  const comparison = legend.closest(".comparison");
  for (const mark of comparison.querySelectorAll('svg.plot [class^="run-"]')) {
    mark.classList.toggle("dim", run !== undefined && !mark.classList.contains(run));
  }
};

for (const button of document.querySelectorAll("[data-sort]")) {
  button.addEventListener("click", () => sort(button));
}

for (const legend of document.querySelectorAll(".legend")) {
  const buttons = [...legend.querySelectorAll("button")];
  const pressed = () =>
    buttons.find((button) => button.getAttribute("aria-pressed") === "true")?.dataset.run;
  for (const button of buttons) {
    button.addEventListener("click", () => {
      const chosen = button.getAttribute("aria-pressed") !== "true";
      for (const other of buttons) {
        other.setAttribute("aria-pressed", String(chosen && other === button));
      }
      bringOut(legend, pressed());
    });
    button.addEventListener("pointerenter", () => bringOut(legend, button.dataset.run));
    button.addEventListener("pointerleave", () => bringOut(legend, pressed()));
  }
}

addEventListener("beforeprint", () => {
  for (const details of document.querySelectorAll("details.run")) details.open = true;
});
