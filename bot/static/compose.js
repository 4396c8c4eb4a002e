// Shows how many characters are left while typing. Without it the server says the same after sending.
"use strict";
for (const field of document.querySelectorAll("[data-limit]")) {
  const hint = document.getElementById(`${field.id}-hint`);
  const limit = Number(field.dataset.limit);
  const figure = (value) => value.toLocaleString("ja-JP");
  field.addEventListener("input", () => {
    const left = limit - field.value.trim().length;
    hint.classList.toggle("over", left < 0);
    hint.textContent =
      (left < 0 ? `${figure(-left)}文字 多すぎます` : `あと ${figure(left)} 文字`) + `(${figure(limit)} 文字まで)`;
  });
}
for (const select of document.querySelectorAll(".with-select select")) {
  select.addEventListener("change", () => {
    if (select.value) select.parentElement.querySelector("input[type=radio]").checked = true;
  });
}
// A time typed for another choice is not sent. Without script the server asks which of the two is meant.
const at = document.getElementById("at");
const ways = document.querySelectorAll("input[name=when]");
const keepTime = () => { at.disabled = !document.querySelector("input[name=when][value=at]").checked; };
for (const way of ways) way.addEventListener("change", keepTime);
keepTime();
const problems = document.getElementById("problems");
if (problems) problems.focus();
