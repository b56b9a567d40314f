"use strict";
// Sorts the table by the column whose button is pressed; what is not known stays at the end either way.
const table = document.getElementById("board");
for (const head of table ? table.querySelectorAll("th[data-sort]") : []) {
  head.querySelector("button").addEventListener("click", () => {
    const first = head.dataset.sort === "down" ? "descending" : "ascending";
    const other = first === "ascending" ? "descending" : "ascending";
    const order = head.getAttribute("aria-sort") === first ? other : first;
    const sign = order === "ascending" ? 1 : -1;
    const value = (row) => row.cells[head.cellIndex].dataset.value;
    const compare = head.dataset.sort === "text"
      ? (a, b) => sign * value(a).localeCompare(value(b), "en", { numeric: true })
      : (a, b) => (value(a) === "") - (value(b) === "") || sign * (value(a) - value(b));
    const body = table.tBodies[0];
    body.append(...[...body.rows].sort(compare));
    for (const cell of table.querySelectorAll("th[aria-sort]")) cell.removeAttribute("aria-sort");
    head.setAttribute("aria-sort", order);
    document.getElementById("sorted").textContent = "Sorted by " + head.textContent.trim().toLowerCase() + ", " + order + ".";
  });
}
