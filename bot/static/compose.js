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
const choose = (value) => {
  const radio = document.querySelector(`input[name=target][value=${value}]`);
  if (radio) radio.checked = true;
};
for (const select of document.querySelectorAll(".with-select select")) {
  select.addEventListener("change", () => {
    if (select.value) select.parentElement.querySelector("input[type=radio]").checked = true;
  });
}
// Who ticks a district means these districts. Without script the server asks which of the two is meant.
for (const field of document.querySelectorAll("[name=area], [name=language], [name=in_group], [name=youngest], [name=oldest]")) {
  field.addEventListener("change", () => { if (field.checked || (field.type !== "checkbox" && field.value)) choose("chosen"); });
}
// A time typed for another choice is not sent. Without script the server asks which of the two is meant.
const at = document.getElementById("at");
const ways = document.querySelectorAll("input[name=when]");
const keepTime = () => { at.disabled = !document.querySelector("input[name=when][value=at]").checked; };
for (const way of ways) way.addEventListener("change", keepTime);
keepTime();
const problems = document.getElementById("problems");
if (problems) problems.focus();
const opened = document.querySelector("[data-opened]");
if (opened && !problems) opened.scrollIntoView();
// While somebody types: what has been typed is kept, and the count and the look follow.
const form = document.getElementById("compose");
if (form) {
  const said = document.getElementById("autosave");
  const ask = async (path, header) => {
    const fields = new FormData(form);
    // Only the button beside it adds a picture.
    fields.delete("picture_file");
    const answer = await fetch(path, {
      method: "POST", headers: { [header]: "1" }, body: new URLSearchParams(fields), credentials: "same-origin",
    });
    if (answer.status === 401) {
      said.textContent = "ログインの期限が切れました。書いた文はこの画面に残っています。「確認画面へ進む」を押すと、ログインして続けられます。";
    }
    return answer.ok ? answer : null;
  };
  const look = async () => {
    try {
      const answer = await ask(form.dataset.look, "X-Fragment");
      if (answer) document.getElementById("look").innerHTML = await answer.text();
    } catch { /* No connection: the next change asks again. */ }
  };
  const keep = async () => {
    try {
      const answer = await ask(form.dataset.keep, "X-Autosave");
      if (answer) {
        said.textContent = `${new Date().toLocaleTimeString("ja-JP", { hour: "2-digit", minute: "2-digit" })} 自動で保存しました(まだ送信していません)`;
      }
    } catch {
      said.textContent = "保存できませんでした。つながりしだい、もう一度保存します。";
    }
  };
  let looking, keeping;
  form.addEventListener("input", () => {
    clearTimeout(looking);
    clearTimeout(keeping);
    looking = setTimeout(look, 700);
    keeping = setTimeout(keep, 3000);
  });
  form.addEventListener("submit", () => { clearTimeout(looking); clearTimeout(keeping); });
  look();
  // Who has chosen a picture wants it; without script the button beside it says so.
  const file = document.getElementById("picture_file");
  if (file) {
    file.addEventListener("change", () => {
      const [chosen] = file.files;
      const said = document.getElementById("picture_file-said");
      if (!chosen) return;
      if (chosen.size > Number(file.dataset.most)) {
        said.textContent = `「${chosen.name}」は大きすぎます(${Math.round(Number(file.dataset.most) / 1048576)}MBまで)。小さくした画像を選んでください。`;
        file.value = "";
        return;
      }
      said.textContent = "画像を足しています…";
      form.requestSubmit(document.getElementById("add-picture"));
    });
  }
}
