// Makes every table sortable: a click on a heading sorts up, then down, then back; groups stay together.
for (const table of document.querySelectorAll("table")) {
  const groups = [...table.tBodies].map((body) =>
    ({ body, original: [...body.rows].filter((row) => !row.querySelector('[scope="rowgroup"]')) }));
  if (!table.tHead || !groups.some(({ original }) => original.length > 2)) continue;
  const headings = [...table.tHead.rows[0].cells];
  headings.forEach((heading, column) => {
    const button = document.createElement("button");
    button.append(...heading.childNodes);
    heading.append(button);
    button.addEventListener("click", () => {
      const next = { ascending: "descending", descending: "" };
      const order = next[heading.getAttribute("aria-sort")] ?? "ascending";
      headings.forEach((one) => one.removeAttribute("aria-sort"));
      if (order) heading.setAttribute("aria-sort", order);
      for (const { body, original } of groups) {
        body.append(...(order ? sorted(original, heading, column, order) : original));
      }
    });
  });
}

function sorted(rows, heading, column, order) {
  const sign = order === "ascending" ? 1 : -1;
  const isNumber = heading.classList.contains("number");
  const keys = new Map(rows.map((row) => {
    const text = row.cells[column].textContent.trim();
    return [row, isNumber ? number(text) : text || null];
  }));
  // Cells without a value come last in both orders.
  return [...rows].sort((a, b) => {
    const [one, other] = [keys.get(a), keys.get(b)];
    if (one === null || other === null) return (one === null) - (other === null);
    return sign * (isNumber ? one - other : one.localeCompare(other, "en", { numeric: true }));
  });
}

// The first number of a cell: "91.70 ± 0.26%", "[-0.52, -0.06]", "±0.20", "1,200" and "< 0.0001" have one.
function number(text) {
  const found = text.replace(/(\d),(?=\d{3}\b)/g, "$1").match(/[-+]?\d+(\.\d+)?(e[-+]?\d+)?/i);
  if (!found) return null;
  return Number(found[0]) - (text.startsWith("<") ? 1e-9 : 0);
}
