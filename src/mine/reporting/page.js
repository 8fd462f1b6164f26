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
const plain = (text) => text.normalize("NFKD").toLowerCase();
for (const body of document.querySelectorAll("tbody[id]")) {
  const fields = [...document.querySelectorAll(`[data-for="${body.id}"]`)];
  const count = document.querySelector(`[data-count="${body.id}"]`);
  if (!fields.length) continue;
  const of = (type) => fields.find((field) => field.type === type);
  const show = () => {
    const words = plain(of("search").value).split(/\s+/).filter(Boolean);
    const kind = of("select-one")?.value;
    const dependent = of("checkbox")?.checked;
    let shown = 0;
    for (const row of body.rows) {
      const text = plain([...row.querySelectorAll("th, td.name, td.note")].map((cell) => cell.textContent).join(" "));
      const kept = words.every((word) => text.includes(word)) && (!kind || row.dataset.kind === kind);
      row.hidden = !(kept && !(dependent && row.classList.contains("noise")));
      shown += !row.hidden;
    }
    count.textContent = shown < body.rows.length ? `${shown} of ${body.rows.length} rows` : "";
    document.getElementById("said").textContent = `${shown} rows`;
  };
  for (const field of fields) field.addEventListener("input", show);
}
for (const link of document.querySelectorAll("a[data-find]")) {
  link.addEventListener("click", () => {
    const field = document.querySelector('input[data-for="pair-rows"]');
    field.value = link.dataset.find;
    field.dispatchEvent(new Event("input"));
  });
}
