# get-config environment [-k KEY]: the environment properties, as AWS's platform tool prints them.
import json
import sys

ENVIRONMENT = "/opt/elasticbeanstalk/deployment/environment.json"


def main(arguments):
    if arguments[:1] != ["environment"] or len(arguments) not in (1, 3):
        sys.exit("usage: get-config environment [-k KEY]")
    with open(ENVIRONMENT, encoding="utf-8") as file:
        properties = json.load(file)
    if len(arguments) == 1:
        print(json.dumps(properties, sort_keys=True))
        return
    option, key = arguments[1:]
    if option not in ("-k", "--key"):
        sys.exit("usage: get-config environment [-k KEY]")
    if key not in properties:
        sys.exit(f"Failed to get environment property: no property is named {key}")
    print(properties[key])


main(sys.argv[1:])
