"""Verifies with PyJWT, by the protocol of README.md."""

import driver
import jwt

args = driver.arguments()
keys = {key["kid"]: jwt.PyJWK(key, algorithm="EdDSA").key for key in args.given["jwks"]["keys"]}
key = keys[jwt.get_unverified_header(args.tokens[0])["kid"]]
issuer = args.given["issuer"]

driver.blocking(args, lambda token: jwt.decode(token, key, algorithms=["EdDSA"], audience=issuer, issuer=issuer)["sub"])
