"""docker-compose.yml and Dockerfile give the service what it needs: read here, since nobody starts them for every change."""

import re
import tomllib
from pathlib import Path

import pytest
import yaml

from bot.accounts import missing_settings, unsafe_links
from bot.cli import COMMANDS
from bot.settings import Settings
from content.town import load_town
from tests.factories import SHIBATA

ROOT = Path(__file__).parents[2]
TEXT = (ROOT / "docker-compose.yml").read_text(encoding="utf-8")
COMPOSE = yaml.safe_load(TEXT)
SERVICES = COMPOSE["services"]
OURS = ("app", "worker")
DOCKERFILE = (ROOT / "Dockerfile").read_text(encoding="utf-8")
# The comment on top is what an operator puts into .env by.
ASKED_FOR = set(re.findall(r"[A-Z][A-Z_]{4,}", TEXT[: TEXT.index("x-kairanban")]))
HOME = "/srv/kairanban/"
PREFIX = "KAIRANBAN_"


def image_environment():
    return dict(re.findall(r"^ENV (\w+)=(\S+)$", DOCKERFILE, re.MULTILINE))


def environment(name):
    return {**image_environment(), **SERVICES[name]["environment"]}


def mounts(name):
    """Where in the container → what is mounted there."""
    found = (
        re.fullmatch(r"(\$\{[^}]*\}|[^:]+):([^:]+)(?::(ro))?", item) for item in SERVICES[name]["volumes"]
    )
    return {match[2]: (match[1], match[3]) for match in found}


@pytest.mark.parametrize("name", OURS)
def test_the_settings_are_such_as_there_are(name, monkeypatch, tmp_path):
    """Together with what the comment asks for they are taken, and nothing is left that serve would refuse."""
    monkeypatch.chdir(tmp_path)
    env_file = {
        "KAIRANBAN_LINE__CHANNEL_SECRET": "secret",
        "KAIRANBAN_LINE__CHANNEL_TOKEN": "token",
        "KAIRANBAN_MAIL__FROM": "oshirase@town.example.jp",
        "KAIRANBAN_WEB__PUBLIC_URL": "https://oshirase.town.example.jp",
    }
    assert env_file.keys() == {it for it in ASKED_FOR if it.startswith(PREFIX)}
    for variable, value in {**env_file, **environment(name)}.items():
        monkeypatch.setenv(variable, str(value).replace("${POSTGRES_PASSWORD:?set it in .env}", "word"))
    settings = Settings()
    town = load_town(SHIBATA)
    assert {account.channel for account in town.accounts} == {"line", "mail", "webhook"}
    assert missing_settings(settings, town) == []
    assert unsafe_links(settings, town) == ""


@pytest.mark.parametrize("name", OURS)
def test_the_town_profile_and_the_key_are_on_the_machine_and_not_in_the_container(name):
    settings = environment(name)
    source, readonly = mounts(name)[settings["KAIRANBAN_TOWN"]]
    assert source.startswith("${TOWN_PROFILE:?"), (
        "without a profile compose must say so and not make a folder"
    )
    assert readonly == "ro"
    folder, _, _ = settings["KAIRANBAN_SECRET_KEY_FILE"].rpartition("/")
    source, readonly = mounts(name)[HOME + folder]
    assert source in COMPOSE["volumes"]
    assert readonly is None
    assert "/etc/machine-id" in mounts(name), "a copy of the machine could not be recognised"


def test_every_variable_that_compose_insists_on_is_asked_for_in_the_comment():
    insisted = set(re.findall(r"\$\{(\w+):\?", TEXT))
    assert insisted >= {"POSTGRES_PASSWORD", "TOWN_PROFILE"}
    assert insisted <= ASKED_FOR
    assert not re.findall(r"\$\{\w+\}|\$\w", TEXT), "a variable that is not insisted on may be empty"


def test_volumes_and_services_that_are_named_are_there():
    for service in SERVICES.values():
        named = [item.partition(":")[0] for item in service.get("volumes", [])]
        assert {it for it in named if re.fullmatch(r"\w+", it)} <= COMPOSE["volumes"].keys()
        assert service.get("depends_on", {}).keys() <= SERVICES.keys()
        for other in service.get("depends_on", {}):
            assert "healthcheck" in SERVICES[other]
    hosts = re.findall(r"@(\w+)/|//(\w+):\d", " ".join(str(it) for it in environment("app").values()))
    assert {first or second for first, second in hosts} <= SERVICES.keys()


def test_the_commands_of_the_containers_are_commands_of_ours():
    commands = [SERVICES["worker"]["command"]]
    commands.append(re.findall(r'"([^"]+)"', re.search(r"^CMD \[(.*)\]$", DOCKERFILE, re.MULTILINE)[1]))
    for program, command, *_ in commands:
        assert program == "kairanban"
        assert command in COMMANDS
    assert "/healthz" in " ".join(SERVICES["app"]["healthcheck"]["test"])
    asked = f"http://{environment('worker')['KAIRANBAN_WORKER__LISTEN']}/readyz"
    assert asked in " ".join(SERVICES["worker"]["healthcheck"]["test"])


def test_the_port_that_is_published_is_the_one_that_serve_listens_on():
    listening = image_environment()["KAIRANBAN_WEB__LISTEN"]
    host, _, port = listening.rpartition(":")
    assert host == "0.0.0.0", "inside a container the loopback address is reached by nobody"
    assert f"EXPOSE {port}\n" in DOCKERFILE
    # Only the reverse proxy of the same machine gets at it.
    assert SERVICES["app"]["ports"] == [f"127.0.0.1:{port}:{port}"]


def test_the_image_has_a_python_that_is_supported_and_installs_the_lock():
    version = re.search(r"^FROM python:(\d\.\d+)-", DOCKERFILE, re.MULTILINE)[1]
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert f"Programming Language :: Python :: {version}" in project["classifiers"]
    assert "--require-hashes -r requirements.lock" in DOCKERFILE
    for line in re.findall(r"^COPY (.+) \S+$", DOCKERFILE, re.MULTILINE):
        assert all((ROOT / name).exists() for name in line.split())
    assert "USER kairanban" in DOCKERFILE, "the service does not run as root"
    ignored = (ROOT / ".dockerignore").read_text(encoding="utf-8").split()
    assert {".env", "var", ".venv", ".git"} <= set(ignored), (
        "secrets and the clone's own do not go into the image"
    )


def test_json_logs_are_what_a_collector_of_containers_reads():
    assert all(environment(name)["KAIRANBAN_LOG_FORMAT"] == "json" for name in OURS)


def test_the_programs_that_copy_the_database_are_of_its_version():
    version = re.fullmatch(
        r"postgres:(\d+)", next(it["image"] for it in SERVICES.values() if "postgres:" in it.get("image", ""))
    )
    assert version and f"postgresql-client-{version[1]} " in DOCKERFILE


@pytest.mark.parametrize("name", OURS)
def test_our_containers_write_nowhere_but_into_their_volume_and_can_gain_nothing(name):
    service = SERVICES[name]
    assert service["read_only"] is True and service["tmpfs"] == ["/tmp"]
    assert service["cap_drop"] == ["ALL"] and service["security_opt"] == ["no-new-privileges:true"]


def test_a_password_with_any_character_reaches_the_database():
    """It stands in no URL; the driver and the tools of PostgreSQL read it from the environment."""
    settings = environment("app")
    assert "PASSWORD" not in settings["KAIRANBAN_DATABASE_URL"]
    assert settings["PGPASSWORD"].startswith("${POSTGRES_PASSWORD:?")
    assert SERVICES["postgres"]["environment"]["POSTGRES_PASSWORD"] == settings["PGPASSWORD"]


def test_the_relay_keeps_its_queue_and_its_key():
    kept = {item.partition(":")[2] for item in SERVICES["relay"]["volumes"]}
    assert kept >= {"/var/spool/postfix", "/etc/opendkim/keys"}


def test_how_images_are_pinned_by_digest_is_said():
    assert "--resolve-image-digests" in TEXT
    assert re.search(r":[\w.-]+$", SERVICES["postgres"]["image"])
