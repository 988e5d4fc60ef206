# The walk of the README by boto3: bundle → version → environment → answer → events → terminate.
# Arguments: a zip file, the port of the public listener. Prints what it saw as JSON.
import json
import sys
import time
import urllib.request

import boto3
from botocore.exceptions import ClientError

bundle, port = sys.argv[1:]
eb = boto3.client("elasticbeanstalk")
s3 = boto3.client("s3")
ENVIRONMENT = "boto-prod"


def described():
    return eb.describe_environments(EnvironmentNames=[ENVIRONMENT])["Environments"][0]


def until(status):
    for _ in range(600):
        if described()["Status"] == status:
            return
        time.sleep(0.2)
    raise SystemExit(f"{ENVIRONMENT} is {described()['Status']}, not {status}")


def answer(cname):
    request = urllib.request.Request(f"http://127.0.0.1:{port}/whoami", headers={"Host": cname})
    with urllib.request.urlopen(request, timeout=10) as response:
        return json.load(response)


bucket = eb.create_storage_location()["S3Bucket"]
s3.upload_file(bundle, bucket, "boto/app.zip")
eb.create_application(ApplicationName="boto-shop", Description="by boto3")
source = {"S3Bucket": bucket, "S3Key": "boto/app.zip"}
eb.create_application_version(ApplicationName="boto-shop", VersionLabel="v1", SourceBundle=source, Process=True)
stack = next(name for name in eb.list_available_solution_stacks()["SolutionStacks"] if "Python" in name)
eb.create_environment(
    ApplicationName="boto-shop",
    EnvironmentName=ENVIRONMENT,
    CNAMEPrefix="boto-shop",
    VersionLabel="v1",
    SolutionStackName=stack,
    OptionSettings=[
        {
            "Namespace": "aws:elasticbeanstalk:application:environment",
            "OptionName": "GREETING",
            "Value": "grüße & <boto>",
        }
    ],
)
until("Ready")
environment = described()
greeting = answer(environment["CNAME"])["greeting"]

try:
    eb.create_environment(
        ApplicationName="boto-shop", EnvironmentName="second", CNAMEPrefix="boto-shop", VersionLabel="v1", SolutionStackName=stack
    )
    taken = None
except ClientError as error:
    taken = [error.response["Error"]["Code"], error.response["Error"]["Message"]]

pages = eb.get_paginator("describe_events").paginate(
    EnvironmentName=ENVIRONMENT, PaginationConfig={"PageSize": 5}
)
events = [event for page in pages for event in page["Events"]]
dates = [event["EventDate"] for event in events]
settings = eb.describe_configuration_settings(ApplicationName="boto-shop", EnvironmentName=ENVIRONMENT)
options = {
    (each["Namespace"], each["OptionName"]): each.get("Value")
    for each in settings["ConfigurationSettings"][0]["OptionSettings"]
}
resources = eb.describe_environment_resources(EnvironmentName=ENVIRONMENT)["EnvironmentResources"]
eb.terminate_environment(EnvironmentName=ENVIRONMENT)
until("Terminated")
eb.delete_application(ApplicationName="boto-shop")
json.dump(
    {
        "health": environment["Health"],
        "greeting": greeting,
        "taken": taken,
        "newestFirst": dates == sorted(dates, reverse=True) and len(set(dates)) == len(dates),
        "messages": [event["Message"] for event in events],
        "kept": options[("aws:elasticbeanstalk:application:environment", "GREETING")],
        "instances": len(resources["Instances"]),
        "applications": [each["ApplicationName"] for each in eb.describe_applications()["Applications"]],
    },
    sys.stdout,
)
