"use strict";
for (const table of document.querySelectorAll("table.sortable")) {
  const said = document.getElementById("said");
  const heads = [...table.tHead.rows[0].cells];
  heads.forEach((head, place) => {
    const button = head.querySelector("button");
    if (!button) return;
    button.addEventListener("click", () => {
      const numeric = head.classList.contains("n");
      const now = head.getAttribute("aria-sort");
      const next = now === null ? (numeric ? "descending" : "ascending") : now === "ascending" ? "descending" : "ascending";
      const sign = next === "ascending" ? 1 : -1;
      const of = (row) => row.cells[place].dataset.v ?? row.cells[place].textContent;
      const body = table.tBodies[0];
      const rows = [...body.rows].sort((a, b) => {
        const [u, v] = [of(a), of(b)];
        if (!numeric) return sign * u.localeCompare(v);
        if (u === "" || v === "") return (u === "") - (v === "");
        return sign * (Number(u) - Number(v));
      });
      body.append(...rows);
      for (const other of heads) other.removeAttribute("aria-sort");
      head.setAttribute("aria-sort", next);
      said.textContent = `${table.caption ? table.caption.textContent : "Table"}: sorted by ${button.textContent}, ${next}`;
    });
  });
}
