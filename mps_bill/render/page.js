"use strict";
(() => {
  const form = document.getElementById("filter");
  if (!form) return;
  const words = document.getElementById("words");
  const selects = [...form.querySelectorAll("select")];
  const found = document.getElementById("found");
  const section = form.closest("section");
  const leftOut = section.classList.contains("left-out");
  const rows = [...document.querySelectorAll("#lines tbody tr")].map((row) => ({
    row,
    text: [...row.cells].map((cell) => cell.textContent).concat(row.dataset.words).join(" ").toLowerCase(),
    // Amounts in units of the tenth decimal: whole numbers, so that the sum is exact.
    amount: BigInt(row.dataset.amount),
  }));

  const money = (units) => {
    const digits = (units < 0n ? -units : units).toString().padStart(11, "0");
    const fraction = digits.slice(-10).replace(/0{1,8}$/, "");
    const whole = digits.slice(0, -10).replace(/\B(?=(\d{3})+$)/g, ",");
    return (units < 0n ? "-" : "") + whole + "." + fraction;
  };

  const apply = () => {
    const wanted = words.value.toLowerCase().split(/\s+/).filter(Boolean);
    const chosen = selects.map((select) => [select.name, select.value]).filter(([, value]) => value);
    let shown = 0;
    let sum = 0n;
    for (const { row, text, amount } of rows) {
      const fits = wanted.every((word) => text.includes(word)) && chosen.every(([name, value]) => row.dataset[name] === value);
      row.hidden = !fits;
      if (fits) {
        shown += 1;
        sum += amount;
      }
    }
    // Lines that someone has selected are printed.
    section.classList.toggle("left-out", leftOut && shown === rows.length);
    const values = { shown, all: rows.length, amount: money(sum) };
    found.textContent = form.dataset.found.replace(/\{(\w+)\}/g, (_, name) => values[name]);
  };

  form.hidden = false;
  form.addEventListener("input", apply);
  form.addEventListener("change", apply);
  form.addEventListener("reset", () => setTimeout(apply));
  form.addEventListener("submit", (event) => event.preventDefault());
  apply();
})();
