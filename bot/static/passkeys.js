// Asks the device for a passkey, to add one or to sign in with one. Without it the codes do the same.
"use strict";
const WORDS = {
  NotAllowedError: "取りやめたか、時間が過ぎました。もう一度押してください。",
  InvalidStateError: "この端末のパスキーは、もう登録されています。",
  SecurityError: "この住所では、パスキーを使えません。管理者から聞いた住所を開いてください。",
};
const FAILED = "パスキーを使えませんでした。もう一度押すか、コードを使ってください。";
const bytes = (text) =>
  Uint8Array.from(atob(text.replace(/-/g, "+").replace(/_/g, "/")), (sign) => sign.charCodeAt(0));
const text = (buffer) =>
  btoa(String.fromCharCode(...new Uint8Array(buffer))).replace(/\+/g, "-").replace(/\//g, "_").replace(/=+$/, "");

function prepared(options) {
  const keys = (list) => (list || []).map((item) => ({ ...item, id: bytes(item.id) }));
  return {
    ...options,
    challenge: bytes(options.challenge),
    ...(options.user ? { user: { ...options.user, id: bytes(options.user.id) } } : {}),
    ...(options.excludeCredentials ? { excludeCredentials: keys(options.excludeCredentials) } : {}),
    ...(options.allowCredentials ? { allowCredentials: keys(options.allowCredentials) } : {}),
  };
}

function written(credential) {
  const response = {};
  for (const part of ["clientDataJSON", "attestationObject", "authenticatorData", "signature", "userHandle"]) {
    if (credential.response[part]) response[part] = text(credential.response[part]);
  }
  return JSON.stringify({
    id: credential.id,
    rawId: text(credential.rawId),
    type: credential.type,
    response,
    clientExtensionResults: credential.getClientExtensionResults(),
  });
}

async function ask(form) {
  const fields = new URLSearchParams(form.elements.csrf ? { csrf: form.elements.csrf.value } : {});
  const answer = await fetch(form.dataset.options, { method: "POST", body: fields });
  if (!answer.ok) throw new Error("no options");
  const publicKey = prepared(await answer.json());
  return publicKey.user ? navigator.credentials.create({ publicKey }) : navigator.credentials.get({ publicKey });
}

for (const form of document.querySelectorAll("form[data-options]")) {
  const said = form.querySelector("[data-said]");
  form.hidden = false;
  if (!window.PublicKeyCredential) {
    said.textContent = "このブラウザーは、パスキーに対応していません。";
    form.querySelector("button").disabled = true;
  }
  form.addEventListener("submit", async (event) => {
    if (form.elements.credential.value) return;
    event.preventDefault();
    said.textContent = "端末の案内に従ってください。";
    try {
      form.elements.credential.value = written(await ask(form));
      form.submit();
    } catch (error) {
      said.textContent = WORDS[error.name] || FAILED;
    }
  });
}
