"""Makes signatures.json: what AWS's published test suite and botocore sign, for requests to "/" without a query.

    Unpack the crate aws-sigv4 (Apache-2.0), whose folder
    aws-signing-test-suite/v4 is AWS's suite as aws-c-auth publishes it; pip install botocore (1.44.5 was used).
    python3 signatures.py .../aws-signing-test-suite/v4 > signatures.json
"""

import datetime
import json
import pathlib
import random
import string
import sys

import botocore.auth
import botocore.awsrequest
import botocore.credentials

OWN = {"x-amz-date", "x-amz-security-token", "authorization"}


def suite(folder):
    for case in sorted(folder.iterdir()):
        if not (case / "context.json").exists():
            continue
        signed = (case / "header-signed-request.txt").read_text()
        context = json.loads((case / "context.json").read_text())
        head, _, body = signed.partition("\n\n")
        first, *lines = head.split("\n")
        method, path = first.split(" ")[0], first.split(" ", 1)[1].rsplit(" ", 1)[0]
        headers = []
        for line in lines:
            if line[0] in " \t":
                headers[-1][1] += "\n" + line
            else:
                name, _, value = line.partition(":")
                headers.append([name, value])
        # Only what a client of STS sends; one case adds its token after signing.
        if path != "/" or context.get("omit_session_token"):
            continue
        yield {
            "name": case.name,
            "method": method,
            "headers": [h for h in headers if h[0].lower() not in OWN],
            "body": body,
            "region": context["region"],
            "service": context["service"],
            "access_key_id": context["credentials"]["access_key_id"],
            "secret_access_key": context["credentials"]["secret_access_key"],
            "session_token": context["credentials"].get("token"),
            "time": context["timestamp"],
            "authorization": next(value for name, value in headers if name == "Authorization"),
        }


def botocores(count):
    rng = random.Random(18)
    visible = "".join(c for c in string.printable if c.isprintable() and c != " ")
    text = lambda low, high, of=visible: "".join(rng.choice(of) for _ in range(rng.randint(low, high)))
    for number in range(count):
        region = rng.choice(["us-east-1", "eu-central-1", "us-gov-west-1", "cn-north-1"])
        time = datetime.datetime.fromtimestamp(rng.randint(10**9, 3 * 10**9), datetime.timezone.utc)
        body = rng.choice(["", "Action=GetCallerIdentity&Version=2011-06-15", text(1, 200), "ä\n€"])
        headers = [
            ["Host", f"sts.{region}.amazonaws.com"],
            ["Accept", "application/json"],
            ["Content-Type", "application/x-www-form-urlencoded; charset=utf-8"],
            ["Content-Length", str(len(body.encode()))],
            ["X-Teleport-Challenge", text(1, 60, string.ascii_letters + string.digits + "+/-_")],
        ]
        for extra in range(rng.randint(0, 3)):
            value = "  ".join(text(1, 9) for _ in range(rng.randint(1, 3)))
            headers.append([f"X-{text(1, 9, string.ascii_letters)}-{extra}", value])
        rng.shuffle(headers)
        keys = [text(16, 40, string.ascii_uppercase + string.digits), text(1, 60)]
        token = text(1, 400) if rng.random() < 0.7 else None
        request = botocore.awsrequest.AWSRequest("POST", f"https://sts.{region}.amazonaws.com/", data=body.encode())
        for name, value in headers:
            request.headers[name] = value
        auth = botocore.auth.SigV4Auth(botocore.credentials.Credentials(*keys, token), "sts", region)
        # What add_auth does, at a time of our choice.
        request.context["timestamp"] = time.strftime("%Y%m%dT%H%M%SZ")
        auth._modify_request_before_signing(request)
        string_to_sign = auth.string_to_sign(request, auth.canonical_request(request))
        auth._inject_signature_to_request(request, auth.signature(string_to_sign, request))
        yield {
            "name": f"botocore {number}",
            "method": "POST",
            "headers": headers,
            "body": body,
            "region": region,
            "service": "sts",
            "access_key_id": keys[0],
            "secret_access_key": keys[1],
            "session_token": token,
            "time": time.strftime("%Y-%m-%dT%H:%M:%SZ"),
            "authorization": request.headers["Authorization"],
        }


cases = [*suite(pathlib.Path(sys.argv[1])), *botocores(60)]
print(json.dumps(cases, indent=1, ensure_ascii=True))
