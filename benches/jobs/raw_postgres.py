"""What PostgreSQL can do at most: commits of one row by so many clients, by the line protocol of README.md."""

import re
import subprocess
import tempfile

import driver

args = driver.arguments()
subprocess.run(["psql", "-qX", "-d", args.db, "-c", "CREATE TABLE commits (id bigserial PRIMARY KEY, payload text NOT NULL)"], check=True)
with tempfile.NamedTemporaryFile("w", suffix=".sql") as script:
    script.write("INSERT INTO commits (payload) VALUES ('{}');\n")
    script.flush()
    each = args.jobs // int(args.variant)
    options = ["-n", "-M", "prepared", "-f", script.name, "-c", args.variant, "-t", str(each)]
    said = subprocess.run(["pgbench", *options, args.db], check=True, capture_output=True, text=True).stdout
rate = float(re.search(r"tps = ([\d.]+)", said)[1])
driver.rate(each * int(args.variant), each * int(args.variant) / rate)
