"""Lists files with google-api-python-client, by the protocol of README.md."""

import driver
from google.oauth2.credentials import Credentials
from googleapiclient.discovery import build

args = driver.arguments()
drive = build("drive", "v3", credentials=Credentials(token="token"), static_discovery=True, client_options={"api_endpoint": f"{args.url}/drive/v3/"})


def once():
    seen, files = driver.Seen(), drive.files()
    request = files.list(pageSize=1000, fields=driver.FIELDS)
    while request is not None:
        page = request.execute()
        for file in page["files"]:
            seen.add(file["id"], file["name"], int(file["size"]))
        request = files.list_next(request, page)
    return seen


driver.measure(args, once)
