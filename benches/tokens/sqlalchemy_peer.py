"""Reads tokens as one writes it by hand with SQLAlchemy and cryptography, by the line protocol of README.md."""

import os
import time

import driver
from cryptography.fernet import Fernet
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from sqlalchemy import String, create_engine, event, select
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column

# A minute of life is what a token needs to be given out.
EARLY = 60

args = driver.arguments()
engine = create_engine(f"sqlite:///{args.db}")
fernet = Fernet(b"AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=")
aes = AESGCM(bytes(range(32)))


@event.listens_for(engine, "connect")
def wal(connection, _):
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("PRAGMA synchronous = NORMAL")


class Base(DeclarativeBase):
    pass


class Account(Base):
    __tablename__ = "accounts"

    id: Mapped[int] = mapped_column(primary_key=True)
    user_id: Mapped[str] = mapped_column(String, index=True)
    provider: Mapped[str]
    access_token: Mapped[bytes]
    refresh_token: Mapped[bytes]
    scope: Mapped[str]
    expires_at: Mapped[float]


def sealed(text, account):
    if args.variant == "orm":
        return fernet.encrypt(text.encode())
    nonce = os.urandom(12)
    return nonce + aes.encrypt(nonce, text.encode(), str(account).encode())


def fill():
    Base.metadata.create_all(engine)
    with Session(engine) as session:
        for number in range(1, args.accounts + 1):
            session.add(Account(
                id=number, user_id=f"user {number}", provider="google", access_token=sealed(driver.ACCESS_TOKEN, number),
                refresh_token=sealed(driver.REFRESH_TOKEN, number), scope=driver.SCOPE, expires_at=time.time() + driver.LIFETIME,
            ))
        session.commit()
    driver.say(accounts=args.accounts)


def valid(expires_at):
    if expires_at - time.time() < EARLY:
        raise RuntimeError("the token is to be refreshed")


def read_orm(account):
    with Session(engine) as session:
        found = session.scalars(select(Account).where(Account.id == account)).one()
        valid(found.expires_at)
        return fernet.decrypt(found.access_token).decode()


def core():
    table = Account.__table__
    columns = (table.c.id, table.c.access_token, table.c.scope, table.c.expires_at)
    connection = engine.connect().execution_options(isolation_level="AUTOCOMMIT")

    def read(account):
        # A statement of the same shape is compiled once.
        found = connection.execute(select(*columns).where(table.c.id == account)).one()
        valid(found.expires_at)
        return aes.decrypt(found.access_token[:12], found.access_token[12:], str(account).encode()).decode()

    return read


if args.mode == "fill":
    fill()
else:
    driver.blocking(args, range(1, args.accounts + 1), read_orm if args.variant == "orm" else core())
