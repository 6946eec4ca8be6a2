"use strict";
for (const table of document.querySelectorAll("table.sortable")) {
  const [body] = table.tBodies;
  for (const heading of table.tHead.rows[0].cells) {
    const isNumber = heading.classList.contains("number");
    const key = (row) => {
      const text = row.cells[heading.cellIndex].textContent.trim();
      return isNumber ? (text === "" ? -1 : Number(text.replaceAll(",", ""))) : text;
    };
    const compare = isNumber ? (a, b) => a - b : new Intl.Collator("en", { numeric: true }).compare;
    const button = document.createElement("button");
    button.type = "button";
    button.append(...heading.childNodes);
    heading.append(button);
    button.addEventListener("click", () => {
      const before = heading.getAttribute("aria-sort");
      const isDown = before === null ? isNumber : before === "ascending";
      for (const other of heading.parentNode.cells) other.removeAttribute("aria-sort");
      heading.setAttribute("aria-sort", isDown ? "descending" : "ascending");
      const rows = Array.from(body.rows, (row) => [key(row), row]);
      rows.sort(([a], [b]) => (isDown ? compare(b, a) : compare(a, b)));
      body.append(...rows.map(([, row]) => row));
    });
  }
}
const filter = document.getElementById("filter");
if (filter) {
  const rows = Array.from(document.querySelectorAll("#all tbody tr"), (row) => [row.textContent.toLowerCase(), row]);
  const count = document.getElementById("count");
  filter.closest(".filter").hidden = false;
  filter.addEventListener("input", () => {
    const words = filter.value.toLowerCase().split(/\s+/);
    let shown = 0;
    for (const [text, row] of rows) {
      row.hidden = !words.every((word) => text.includes(word));
      shown += row.hidden ? 0 : 1;
    }
    count.textContent = filter.value.trim() === "" ? "" : `${shown} of ${rows.length}`;
  });
}
