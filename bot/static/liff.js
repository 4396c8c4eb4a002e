// Inside LINE: hands LINE's word for who is there to the server, which asks LINE whether it is true.
const form = document.getElementById("liff");

async function open() {
  await liff.init({ liffId: form.dataset.liff });
  if (!liff.isLoggedIn()) {
    liff.login({ redirectUri: location.href });
    return;
  }
  form.elements.id_token.value = liff.getIDToken();
  form.submit();
}

open().catch(() => {
  document.getElementById("liff-failed").hidden = false;
});
