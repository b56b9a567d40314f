"use strict";
for (const table of document.querySelectorAll("table.sorts")) {
  const body = table.tBodies[0];
  const heads = Array.from(table.tHead.rows[0].cells);
  const told = (row, column) => {
    const cell = row.cells[column];
    return cell.dataset.v === undefined ? cell.textContent : cell.dataset.v;
  };
  heads.forEach((head, column) => {
    head.querySelector("button").addEventListener("click", () => {
      const down = head.getAttribute("aria-sort") === "ascending";
      heads.forEach((other) => other.removeAttribute("aria-sort"));
      head.setAttribute("aria-sort", down ? "descending" : "ascending");
      const rows = Array.from(body.rows).map((row) => [told(row, column), row]);
      const numbers = head.classList.contains("n");
      rows.sort(([one], [other]) => {
        // What is missing stays at the end, whichever way.
        if (one === "" || other === "") return (one === "") - (other === "");
        const order = numbers ? Number(one) - Number(other) : one < other ? -1 : one > other ? 1 : 0;
        return down ? -order : order;
      });
      body.append(...rows.map(([, row]) => row));
    });
  });
  const field = table.closest(".inner").querySelector("input");
  field.addEventListener("input", () => {
    const words = field.value.toLowerCase().split(/\s+/).filter(Boolean);
    for (const row of body.rows) {
      const text = row.textContent.toLowerCase();
      row.hidden = !words.every((word) => text.includes(word));
    }
  });
}
addEventListener("beforeprint", () => document.querySelectorAll("details").forEach((one) => { one.open = true; }));
