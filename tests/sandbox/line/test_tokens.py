"""Access tokens and their ends. LINE documentation, basics/channel-access-token."""

from tests.sandbox.line import line_sdk
from tests.sandbox.line.line_sdk import refusal, sdk_for
from tests.sandbox.line.line_town import PARENT, SECRET


async def oauth(town, path, **form):
    form = {"client_id": town.channel.channel_id, "client_secret": SECRET, **form}
    async with town.session.post(town.origin + path, data=form) as answer:
        return answer.status, await answer.json()


async def test_the_sdk_gets_a_stateless_token_that_ends_after_15_minutes(town):
    from linebot.v3.oauth import AsyncApiClient, AsyncChannelAccessToken, Configuration

    async with AsyncApiClient(Configuration(host=town.origin)) as client:
        issued = await AsyncChannelAccessToken(client).issue_stateless_channel_token_by_client_secret(
            client_id=town.channel.channel_id, client_secret=SECRET
        )
    assert (issued.expires_in, issued.token_type) == (900, "Bearer")
    async with sdk_for(town, issued.access_token) as line:
        await town.advance(899)
        await line.push_message(line_sdk.push(PARENT))
        await town.advance(1)
        assert (await refusal(line.push_message(line_sdk.push(PARENT)))).status == 401
    assert len(town.words(PARENT)) == 1


async def test_a_wrong_secret_gets_an_oauth_error(town):
    status, body = await oauth(town, "/oauth2/v3/token", grant_type="client_credentials", client_secret="no")
    assert (status, body["error"]) == (400, "invalid_client")


async def test_short_lived_tokens_are_30_and_the_oldest_goes(town):
    tokens = []
    for _ in range(31):
        _, body = await oauth(town, "/v2/oauth/accessToken", grant_type="client_credentials")
        tokens.append(body["access_token"])
    verified = [(await oauth(town, "/v2/oauth/verify", access_token=token))[0] for token in tokens]
    assert verified == [400] + [200] * 30


async def test_a_short_lived_token_can_be_revoked_and_a_stateless_one_not(town):
    for path, after in (("/v2/oauth/accessToken", 401), ("/oauth2/v3/token", 200)):
        _, body = await oauth(town, path, grant_type="client_credentials")
        await oauth(town, "/v2/oauth/revoke", access_token=body["access_token"])
        headers = {"Authorization": f"Bearer {body['access_token']}"}
        assert (await town.raw("GET", "/v2/bot/info", headers=headers))[0] == after


async def test_a_token_that_is_revoked_midway_delivers_nothing_until_there_is_a_new_one(line, town):
    await town.send("POST", "scenarios/token-expires-midway")
    for _ in range(2):
        await line.multicast(line_sdk.multicast([PARENT]))
    assert (await refusal(line.multicast(line_sdk.multicast([PARENT])))).status == 401
    assert len(town.words(PARENT)) == 2
    _, body = await oauth(town, "/oauth2/v3/token", grant_type="client_credentials")
    async with sdk_for(town, body["access_token"]) as renewed:
        await renewed.multicast(line_sdk.multicast([PARENT]))
    assert len(town.words(PARENT)) == 3
    await town.send("DELETE", "faults")
    await line.get_bot_info()
