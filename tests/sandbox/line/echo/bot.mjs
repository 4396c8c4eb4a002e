// A bot as somebody writes it with LINE's SDK for Node: it echoes, and does on POST /do what a test asks for.
import http from "node:http";
import { randomUUID } from "node:crypto";
import { readFileSync } from "node:fs";
import { HTTPFetchError, messagingApi, validateSignature } from "@line/bot-sdk";

const { LINE_ORIGIN: baseURL, CHANNEL_SECRET: secret, CHANNEL_TOKEN: channelAccessToken, PICTURE } = process.env;
const line = new messagingApi.MessagingApiClient({ baseURL, channelAccessToken });
const blob = new messagingApi.MessagingApiBlobClient({ baseURL, channelAccessToken });
const say = (text) => ({ type: "text", text });

async function contentSize(messageId) {
  let size = 0;
  for await (const chunk of await blob.getMessageContent(messageId)) size += chunk.length;
  return size;
}

async function answer(event) {
  if (event.type === "follow") return say(`ようこそ ${(await line.getProfile(event.source.userId)).displayName}`);
  if (event.type === "join") return say(`${(await line.getGroupSummary(event.source.groupId)).groupName}のみなさん`);
  if (event.type === "postback") return say(event.postback.data);
  if (event.type !== "message") return null;
  const { message } = event;
  if (message.type === "text") return { ...say(message.text), quoteToken: message.quoteToken };
  if (message.type === "image") return say(`${await contentSize(message.id)} bytes`);
  return message.type === "sticker" ? say(`${message.packageId}/${message.stickerId}`) : say(message.type);
}

async function handle(event) {
  const said = await answer(event);
  if (said) await line.replyMessage({ replyToken: event.replyToken, messages: [said] });
}

async function outcome(promise) {
  try {
    const { httpResponse, body } = await promise;
    return { status: httpResponse.status, requestId: httpResponse.headers.get("x-line-request-id"), body };
  } catch (error) {
    if (!(error instanceof HTTPFetchError)) throw error;
    const accepted = error.headers.get("x-line-accepted-request-id");
    return { status: error.status, acceptedRequestId: accepted, body: JSON.parse(error.body) };
  }
}

const area = { bounds: { x: 0, y: 0, width: 800, height: 270 }, action: { type: "postback", data: "a=1", displayText: "1" } };
const menu = { size: { width: 800, height: 270 }, selected: true, name: "menu", chatBarText: "メニュー", areas: [area] };

const tasks = {
  async pushTwice({ to }) {
    const key = randomUUID();
    const send = () => line.pushMessageWithHttpInfo({ to, messages: [say("一度だけ")] }, key);
    return [await outcome(send()), await outcome(send())];
  },
  multicast: async ({ to }) => [await outcome(line.multicastWithHttpInfo({ to, messages: [say("みなさんへ")] }, randomUUID()))],
  broadcast: async () => [await outcome(line.broadcastWithHttpInfo({ messages: [say("全員へ")] }, randomUUID()))],
  refused: async ({ to }) => [await outcome(line.pushMessageWithHttpInfo({ to, messages: [say("")] }))],
  validate: async () => [await outcome(line.validatePushWithHttpInfo({ messages: [say("よし")] }))],
  async followers() {
    return (await line.getFollowers(undefined, 1000)).userIds;
  },
  async menu({ to }) {
    const { richMenuId } = await line.createRichMenu(menu);
    await blob.setRichMenuImage(richMenuId, new Blob([readFileSync(PICTURE)], { type: "image/png" }));
    await line.linkRichMenuIdToUser(to, richMenuId);
    return (await line.getRichMenuIdOfUser(to)).richMenuId === richMenuId;
  },
};

async function serve(request) {
  const chunks = [];
  for await (const chunk of request) chunks.push(chunk);
  const body = Buffer.concat(chunks);
  if (request.url === "/do") {
    const { what, ...more } = JSON.parse(body);
    return [200, await tasks[what](more)];
  }
  if (!validateSignature(body, secret, request.headers["x-line-signature"] ?? "")) return [401, {}];
  for (const event of JSON.parse(body).events) await handle(event);
  return [200, {}];
}

const server = http.createServer(async (request, response) => {
  const [status, body] = await serve(request).catch((error) => [500, { error: String(error) }]);
  response.writeHead(status, { "Content-Type": "application/json" }).end(JSON.stringify(body));
});
server.listen(0, "127.0.0.1", () => console.log(server.address().port));
